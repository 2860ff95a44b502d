"""The series as a book: what Sphinx needs to know. ``make book`` builds it into build/book/.

The source folder is the repository itself, so that links between its pages hold on both sides: in
the repository and in the book. Nothing is executed: pages show the outputs that the notebooks have.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT)]

import imdb_tutorial  # noqa: E402

project = "imdb_tutorial"
html_title = "Sentiment with BERT"
version = release = imdb_tutorial.__version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "contents",
    "facade",
    "mathml",
]

# The pages. Lessons are found by their names: a new one appears by itself.
root_doc = "README"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "book/*.md",
    "docs/*.md",
    "notebooks/*.ipynb",
    "notebooks/*.md",
]
exclude_patterns = [".*", "build", "tests", "experiments", "benchmarks", "**/.ipynb_checkpoints"]
nitpicky = False

# Notebooks
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}  # widgets need a kernel; nothing is loaded from outside for them
nb_render_text_lexer = "none"  # outputs are no program: no colours in them
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_update_mathjax = False

# Formulas as MathML, which browsers draw themselves
html_math_renderer = "mathml"

# The API, from the docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False  # what stands before the colon of "Returns:" is no type here
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80

# Looks
html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_show_sourcelink = False
html_copy_source = False
html_use_index = False  # the API page and the search know every name
html_domain_indices = False
html_additional_pages = {"index": "redirect.html"}  # the home page is the README
templates_path = ["_templates"]
html_theme_options = {
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],  # one search box, in the side bar
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "show_navbar_depth": 1,
}
