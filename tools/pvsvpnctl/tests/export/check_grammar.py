#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""check_grammar.py GRAMMAR SOURCES FILE...: each line of each file must be in the grammar.

A grammar is a tree by its tabs:

    NAME := EXPRESSION                  <NAME> stands for it below
    EXPRESSION <- SOURCE                a line of the vendor's language; SOURCE is in the file SOURCES
    <tab>EXPRESSION <- SOURCE           a line below that one, which is indented in the vendor's file

Expressions are Python's, and match a whole line without its blanks in front. <A..B> is a number from
A to B. A line that begins with the comment's first character is skipped: "comment := #".

With -u, each expression must also be used, so that no line stays that nothing checks.
"""
import re
import sys


class Line:
    def __init__(self, text, expression=None):
        self.text = text
        self.expression = expression
        self.below = []
        self.used = False


def number_pattern(match):
    return "(?P<range_%d_%s_%s>[0-9]+)" % (match.start(), match.group(1), match.group(2))


def expand(text, names):
    while True:
        longer = re.sub(r"<([A-Z][A-Z0-9_]*)>", lambda m: "(?:%s)" % names[m.group(1)], text)
        if longer == text:
            return re.compile(re.sub(r"<([0-9]+)\.\.([0-9]+)>", number_pattern, text))
        text = longer


def tree(lines, depth_of):
    """Lines as a tree: each has (depth, line); deeper ones are below the last shallower one"""
    root = Line("")
    stack = [(-1, root)]
    for line in lines:
        depth = depth_of(line)
        while stack[-1][0] >= depth:
            stack.pop()
        stack[-1][1].below.append(line)
        stack.append((depth, line))
    return root


def read_grammar(path, sources):
    names, lines = {}, []
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            text = text.rstrip("\n")
            if not text or text.startswith("#"):
                continue
            name = re.fullmatch(r"([A-Z][A-Z0-9_]*|comment) := (.*)", text)
            if name:
                names[name.group(1)] = name.group(2)
                continue
            expression, arrow, source = text.rpartition(" <- ")
            if not arrow:
                sys.exit(f"{path}:{number}: no source: {text}")
            for one in source.split(", "):
                if one not in sources:
                    sys.exit(f"{path}:{number}: unknown source: {one}")
            lines.append(Line(expression, expand(expression.strip("\t"), names)))
    root = tree(lines, lambda line: len(line.text) - len(line.text.lstrip("\t")))
    return names.get("comment", "#"), root


def read_sources(path):
    with open(path, encoding="utf-8") as file:
        return set(re.findall(r"^``([a-z0-9-]+)``$", file.read(), re.M))


def in_ranges(match):
    for name, value in match.groupdict().items():
        _, _, low, high = name.split("_")
        if value is not None and not int(low) <= int(value) <= int(high):
            return False
    return True


def matching(rules, text):
    for rule in rules:
        match = rule.expression.fullmatch(text)
        if match and in_ranges(match):
            rule.used = True
            return rule
    return None


def check(rules, lines, path):
    wrong = 0
    for line in lines:
        text = line.text.lstrip()
        rule = matching(rules, text)
        if rule:
            wrong += check(rule.below, line.below, path)
        else:
            print(f"{path}: not in the grammar: {text}")
            wrong += 1
    return wrong


def unused(rules):
    for rule in rules:
        if not rule.used:
            yield rule.expression.pattern
        yield from unused(rule.below)


def main():
    arguments = sys.argv[1:]
    must_use = arguments[0] == "-u"
    grammar, sources, *files = arguments[must_use:]
    comment, root = read_grammar(grammar, read_sources(sources))
    wrong = 0
    for path in files:
        with open(path, encoding="utf-8") as file:
            lines = [Line(text.rstrip("\n")) for text in file
                     if text.strip() and not text.lstrip().startswith(comment)]
        top = tree(lines, lambda line: len(line.text) - len(line.text.lstrip()))
        wrong += check(root.below, top.below, path)
    if must_use:
        for expression in unused(root.below):
            print(f"{grammar}: no file has: {expression}")
            wrong += 1
    sys.exit(wrong > 0)


main()
