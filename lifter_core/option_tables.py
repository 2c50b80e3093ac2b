"""The options' tables in the documents: ``python -m lifter_core.options [FILE.md ...]``.

Without files the tables are printed. With files, what stands in them between ``<!-- options NAME -->`` and
``<!-- end of options -->`` is made anew.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from .command_line import default, flag, metavar
from .declare import Option, Place
from .files import replaced
from .options import OPTIONS, offered

_MARKED = re.compile(r"(<!-- options ([\w-]+) -->\n).*?(<!-- end of options -->)", re.DOTALL)


def options_table(stage: str) -> str:
    """All options of a stage (detection, lifting, solving) as a Markdown table."""
    rows = ["| name | command line | in Blender | values | default | what it does |", "|" + "---|" * 6]
    for one in (one for one in OPTIONS.values() if one.stage == stage):
        in_blender = one.shown.label if one.places & (Place.TAB | Place.CLEAN_UP) else ""
        cells = (f"`{one.name}`", _usage(one), in_blender, _values(one), default(one), one.help)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def panel_table(place: Place) -> str:
    """The options in one of the add-on's panels as a Markdown table."""
    rows = ["| setting | what it does |", "|---|---|"]
    for one in offered(place):
        items = "".join(f". {item.label}: {item.help}" for item in one.shown.items or one.choices)
        rows.append(f"| {one.shown.heading or one.shown.label} | {one.help}{items} |")
    return "\n".join(rows)


TABLES: dict[str, Callable[[], str]] = {
    "detection": lambda: options_table("detection"),
    "lifting": lambda: options_table("lifting"),
    "solving": lambda: options_table("solving"),
    "clean-up": lambda: panel_table(Place.CLEAN_UP),
}


def renewed(document: str) -> str:
    """The document with the tables between its marks made anew."""
    return _MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", document)


def main(arguments: Sequence[str]) -> int:
    """Prints the tables, or renews those in the named documents."""
    for name in arguments:
        text = renewed(Path(name).read_text("utf-8"))
        with replaced(name) as temporary:
            Path(temporary).write_text(text, "utf-8")
    if not arguments:
        for name, table in TABLES.items():
            print(f"{name}\n\n{table()}\n")
    return 0


def _usage(option: Option) -> str:
    if option.kind is bool:
        return f"`{flag(option)}`, `{flag(option).replace('--', '--no-', 1)}`"
    values = metavar(option) if not option.choices else "|".join(option.values)
    text = values if isinstance(values, str) else " ".join(values)
    return f"`{flag(option)} {text}`".replace("|", "\\|")


def _values(option: Option) -> str:
    if option.choices:
        return ", ".join(option.values)
    return "yes or no" if option.kind is bool else option.demand().replace("|", "\\|")
