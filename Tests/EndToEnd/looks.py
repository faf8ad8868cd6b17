# SPDX-License-Identifier: MIT
"""A look at a page as it is: small and dark, large and light."""

from pages import DESKTOP, PHONE


def check(pages):
    """Nothing is wider than the window, and everybody can use it, in both sizes and themes."""
    for size, scheme in ((PHONE, "dark"), (DESKTOP, "light")):
        pages.page.set_viewport_size(size)
        pages.page.emulate_media(color_scheme=scheme)
        pages.check_width()
        pages.check_accessibility()
