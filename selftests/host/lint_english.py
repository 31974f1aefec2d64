#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Finds sentences that a reader whose second language is English must read twice.

lint_english.py FILE...: prints FILE:LINE and the sentence, and exits with 1 if there is one.

It reads comments of C, shell, Python and make, docstrings, and the text of Markdown,
reStructuredText and man pages.
"""
import io
import re
import sys
import tokenize

# A relative clause as the subject, and an inverted order. A question may begin so.
OPENINGS = re.compile(
    r"(What|Who|Whom|Whose|Of|Which|Where)\b(?![^.?!]*\?)"
    r"|That (the|a|an|no|nothing|nobody|it|they|we|one|there) "
    r"|So (do|does|did|is|are|was|were|has|have|say|says|many|much) "
    r"|Without a word|By (a|an|the|its|their|two|one) ")
# Words that say less than the usual ones
WORDS = re.compile(r"in vain|'s clothes|without a word|nobody's|is told of|comes? and goe?s?\b")
# A sentence begins at the start of a paragraph or an item, or behind the end of another one.
SENTENCE = re.compile(r"(?:^\s*|\n[ \t]*(?:[-*+]|\d+\.)[ \t]+|(?<=[.:?!])\s+|(?<=[.?!][)\"'*`])\s+)(?=[A-Z])")


def c_comments(text):
    for comment in re.finditer(r"/\*.*?\*/", text, re.S):
        line = text.count("\n", 0, comment.start()) + 1
        yield line, re.sub(r"\n[ \t]*\* ?", "\n", comment[0].strip("/").strip("*"))


def hash_comments(text):
    """Lines of comments in a row are one text."""
    start, lines = 0, []
    for number, line in enumerate(text.split("\n") + [""], 1):
        comment = re.match(r"\s*#(?!!)\s?(.*)", line)
        if comment:
            start = start or number
            lines.append(comment[1])
        elif lines:
            yield start, "\n".join(lines)
            start, lines = 0, []


def docstrings(text):
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and token.string.startswith('"""'):
            yield token.start[0], token.string.strip('"')


def texts(path):
    """Pairs of the first line and the text, for each piece of English in a file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith((".c", ".h")):
        return list(c_comments(text))
    if path.endswith((".md", ".rst", ".8", ".5")):
        return [(1, text)]
    if path.endswith(".py"):
        return list(hash_comments(text)) + list(docstrings(text))
    return list(hash_comments(text))


def paragraphs(line, text):
    for part in re.split(r"(\n[ \t]*\n)", text):
        yield line, part
        line += part.count("\n")


def faults(path):
    for first, text in texts(path):
        for line, paragraph in paragraphs(first, text):
            for place in SENTENCE.finditer(paragraph):
                if OPENINGS.match(paragraph, place.end()):
                    yield line + paragraph.count("\n", 0, place.end()), paragraph[place.end():]
            for word in WORDS.finditer(paragraph):
                yield line + paragraph.count("\n", 0, word.start()), paragraph[word.start():]


def main():
    found = [f"{path}:{line}: {' '.join(text.split())[:70]}"
             for path in sys.argv[1:] for line, text in faults(path)]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
