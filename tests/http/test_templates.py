"""The templates that all pages share, and their style sheet."""

import re

import pytest
from fastapi import Request

from app.http.forms import Form
from app.http.pages import environment, with_query
from app.settings import ROOT


def test_no_template_holds_a_script_or_a_style_or_asks_another_host() -> None:
    templates = [*(ROOT / "app/web/templates").glob("*.html"), *(ROOT / "app/features").rglob("*.html")]
    assert len(templates) >= 4
    for path in templates:
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|hx-on|<script(?![^>]+src=)|javascript:|\"js:", text), path
        assert not re.search(r"(src|href|action)=\"(https?:)?//", text), path
        assert "|safe" not in text.replace(" ", ""), path


def test_the_vendored_htmx_is_what_its_table_says() -> None:
    vendor = ROOT / "app/web/static/vendor"
    [version] = re.findall(r"`htmx.org` \| (\S+) \|", (vendor / "README.md").read_text())
    assert f'version="{version}"' in (vendor / "htmx/htmx.min.js").read_text()


def colours() -> dict[str, dict[str, str]]:
    css = (ROOT / "app/web/static/app.css").read_text()
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)
    )
    return {"light": light, "dark": light | dark}


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_against_its_ground(scheme: str) -> None:
    """WCAG 2.2 AA: 4.5 for text, 3 for what shows where a control is."""
    found = colours()[scheme]
    grounds = ("paper", "surface", "tint")
    pairs = [(text, ground, 4.5) for text in ("ink", "muted", "accent", "danger") for ground in grounds]
    pairs += [("ink", "danger-tint", 4.5), ("muted", "danger-tint", 4.5), ("on-accent", "accent", 4.5)]
    pairs += [("edge", ground, 3) for ground in ("paper", "surface")]
    for text, ground, wanted in pairs:
        lighter, darker = sorted((luminance(found[text]), luminance(found[ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= wanted, (text, ground)


def test_the_style_sheet_is_small_and_minds_its_readers() -> None:
    css = (ROOT / "app/web/static/app.css").read_text()
    assert len(css) <= 12 * 1024
    for words in ("prefers-color-scheme: dark", "prefers-reduced-motion", ":focus-visible"):
        assert words in css
    assert "url(" not in css


def render(source: str, **context: object) -> str:
    return environment().from_string(f'{{% import "macros.html" as m %}}{source}').render(context)


def test_a_field_ties_its_label_hint_and_error_together() -> None:
    form = Form.of({"name": '"><script>'})
    form.fail("name", "Taken <b>.")
    shown = render('{{ m.field(form, "name", "Name", required=true, hint="Short.", maxlength=9) }}', form=form)
    assert '<label for="name">Name</label>' in shown
    assert 'value="&#34;&gt;&lt;script&gt;"' in shown
    for attribute in (
        'aria-invalid="true"', 'aria-describedby="name-hint name-error"', 'maxlength="9"', 'required=""'
    ):  # fmt: skip
        assert attribute in shown
    assert '<p class="error" id="name-error">Taken &lt;b&gt;.</p>' in shown
    assert "<script>" not in shown


@pytest.mark.parametrize(
    ("type_", "wanted"),
    [
        ("text", '<input type="text" value="2"'),
        ("textarea", ">\n2</textarea>"),
        ("select", '<option value="2" selected>Two</option>'),
        ("checkbox", '<input type="checkbox" value="true" checked'),
    ],
)
def test_each_kind_of_field_shows_its_value(type_: str, wanted: str) -> None:
    source = '{{ m.field(form, "n", "N", type=type, options=[(1, "One"), (2, "Two")]) }}'
    shown = render(source, form=Form.of({"n": 2}), type=type_)
    assert wanted in shown
    assert "aria-describedby" not in shown


def test_the_pager_keeps_the_query_and_is_absent_on_the_only_page() -> None:
    request = Request({"type": "http", "query_string": b"q=a%26b&cursor=old", "headers": []})
    source = "{{ m.pager(request, cursor) }}"
    shown = render(source, request=request, cursor="a=b")
    assert 'href="?q=a%26b&amp;cursor=a%3Db"' in shown
    assert 'href="?q=a%26b"' in shown
    assert with_query(request, cursor=None, q=None) == "?"
    only = Request({"type": "http", "query_string": b"q=a", "headers": []})
    assert render(source, request=only, cursor=None).strip() == ""


def test_tables_and_empty_lists_say_what_they_are() -> None:
    shown = render(
        '{% call m.table("<Shelf>", ["Name", ("Price", "number")]) %}<tr><td>{{ name }}</td></tr>{% endcall %}',
        name="<x>",
    )
    assert '<th scope="col">Name</th>' in shown
    assert '<th scope="col" class="number">Price</th>' in shown
    assert "&lt;Shelf&gt;" in shown
    assert "<td>&lt;x&gt;</td>" in shown
    assert "<p>Nothing yet.</p>" in render('{{ m.empty("Nothing yet.") }}')
