# SPDX-License-Identifier: GPL-2.0
"""Sphinx's settings for "make htmldocs"."""
import pathlib
import re

top = pathlib.Path(__file__).parent.parent

project = "pvsvpn"
release = re.search(r'PACKAGE_VERSION="(.*)"', (top / "dkms.conf").read_text())[1]
version = release
language = "en"

# Pages say `` `` where they mean code; a kernel function is linked to nothing.
extensions = []
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "description": "A route-based IPsec tunnel device"}
html_show_sphinx = False
html_copy_source = False
