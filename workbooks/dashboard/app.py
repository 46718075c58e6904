"""The dashboard's web application: pages, their items as they are answered, downloads, and nothing that writes.

No text of a query comes from the browser: an address names a workbook, an item by its place, and parameters' values,
which workbooks.substitute lets into a query as literals alone.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from kql.engine import ResultTable
from workbooks.asking import Asking, answer_of
from workbooks.dashboard.export import to_csv
from workbooks.dashboard.guard import Guard
from workbooks.dashboard.shelf import OPENED, page_url, title_of
from workbooks.dashboard.stream import Streamed
from workbooks.fragments import Fragment, Page
from workbooks.live import View, run, settle
from workbooks.places import shell

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from workbooks.dashboard.shelf import Shelf
    from workbooks.dashboard.source import Feed, Source
    from workbooks.dashboard.stream import Begun
    from workbooks.resolve import State

HERE: Final = Path(__file__).resolve().parent.parent
STATIC: Final = {"page.css": "text/css", "page.js": "text/javascript", "dashboard.js": "text/javascript"}
REFRESH: Final = (0, 30, 60, 300)
"""Seconds between refreshes that a reader can choose; 0 is none."""
PLOTLY: Final = resources.files("plotly") / "package_data" / "plotly.min.js"
"""The Plotly that the Python package carries: nothing is loaded from elsewhere."""


@dataclass
class Dashboard:
    """Workbooks over a feed. `hosts` are the names that it is served under."""

    shelf: Shelf
    feed: Feed
    hosts: frozenset[str]

    @cached_property
    def templates(self) -> Environment:
        """The page's frame."""
        loader = FileSystemLoader(HERE / "templates")
        return Environment(loader=loader, autoescape=select_autoescape(default=True), undefined=StrictUndefined)

    def app(self) -> ASGIApp:
        """Give the application. The guard stands around all of it, what answers a defect included."""
        routes = [
            Route("/", self.front),
            Route("/w/{name}", self.page),
            Route("/w/{name}/items", self.items),
            Route("/w/{name}/csv/{anchor}", self.csv),
            Route("/static/plotly.js", plotly),
            Route("/static/{file}", static),
        ]
        handlers: Any = {HTTPException: self.refused, Exception: self.refused}
        return Guard(Starlette(routes=routes, exception_handlers=handlers), self.hosts)

    def front(self, _request: Request) -> Response:
        """Lead to the first workbook."""
        first = next(iter(self.shelf.books), None)
        if first is None:
            raise HTTPException(404, "There is no workbook to show.")
        return RedirectResponse(page_url(first, {}))

    def page(self, request: Request) -> Response:
        """Give a page's frame and the places of its items, at once; the items come after."""
        name = self._name(request)
        with self.feed.use() as source:
            return self._html(
                "dashboard.html",
                title=title_of(name),
                here=name,
                source=source,
                refresh=REFRESH,
                plotly=metadata.version("plotly"),
                shell=shell(self.shelf.books[name].workbook, _opened(request)),
            )

    def items(self, request: Request) -> Response:
        """Stream a page's items, a JSON object a line, each as soon as it is answered."""
        name = self._name(request)
        return Streamed(lambda begun: self._lines(name, request, begun))

    def csv(self, request: Request) -> Response:
        """Give one item's result as a file."""
        name = self._name(request)
        item = self.shelf.books[name].find(request.path_params["anchor"])
        with self.feed.use() as source:
            view = self._view(name, request, source)
            with Asking(source.answers, view.now) as asking:
                found = settle(view, asking).items.get(item.path if item else "")
                if found is None or found.request is None:
                    raise HTTPException(404, "There is no such item, or it asks nothing now.")
                answer = answer_of(asking.ask(found.request))
        if not isinstance(answer, ResultTable):
            raise HTTPException(409, str(answer))
        file = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in found.item.name or name)
        headers = {"Content-Disposition": f'attachment; filename="{file}.csv"'}
        return Response(to_csv(answer), media_type="text/csv; charset=utf-8", headers=headers)

    def refused(self, request: Request, error: Exception) -> Response:
        """Say what went wrong: a page to who reads pages, a line to who does not."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        text = error.detail if isinstance(error, HTTPException) else f"{type(error).__name__}: {error}"
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(text, status)
        return self._html("error.html", status, title=f"Error {status}", here="", message=text)

    def _html(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        here = values.pop("here")
        books = [
            {"title": title_of(name), "url": page_url(name, {}), "here": name == here} for name in self.shelf.books
        ]
        return HTMLResponse(self.templates.get_template(template).render(books=books, **values), status)

    def _name(self, request: Request) -> str:
        name = str(request.path_params["name"])
        if name not in self.shelf.books:
            raise HTTPException(404, f"There is no workbook {name!r}; there are {', '.join(self.shelf.books)}.")
        return name

    def _view(self, name: str, request: Request, source: Source) -> View:
        layout = self.shelf.books[name]
        known = {declared.key for declared in layout.declared.all}
        asked = request.query_params
        chosen = {key: tuple(asked.getlist(key)) for key in asked if key in known}
        return View(layout, source.instant(), chosen, source.resources, _opened(request))

    def _lines(self, name: str, request: Request, begun: Begun) -> Generator[str]:
        with self.feed.use() as source:
            view = self._view(name, request, source)
            with Asking(source.answers, view.now) as asking:
                begun(asking)
                with closing(run(view, asking, lambda state: self._page(name, view, state))) as fragments:
                    for found in fragments:
                        yield json.dumps(line_of(found), ensure_ascii=False) + "\n"
            note = " · ".join(filter(None, (source.note, self.feed.trouble)))
            yield json.dumps({"done": True, "at": view.now.isoformat(), "note": note}) + "\n"

    def _page(self, name: str, view: View, state: State) -> Page:
        kept = {**view.chosen, **({OPENED: sorted(view.opened)} if view.opened else {})}

        def changed(choices: Mapping[str, str]) -> str:
            return page_url(name, {**kept, **{key: [value] for key, value in choices.items()}})

        return Page(state, view.chosen, self.shelf.url, changed, lambda anchor: page_url(name, kept, f"/csv/{anchor}"))


def _opened(request: Request) -> frozenset[str]:
    return frozenset(request.query_params.getlist(OPENED))


def line_of(found: Fragment) -> dict[str, Any]:
    """Give a fragment as the browser takes it."""
    line = {"id": found.anchor, "shown": found.shown, "html": str(found.html), "figure": found.figure}
    return {**line, "partial": True} if found.partial else line


def static(request: Request) -> Response:
    """Give one of our own files."""
    file = request.path_params["file"]
    if file not in STATIC:
        raise HTTPException(404, "There is no such file.")
    return FileResponse(HERE / "static" / file, media_type=STATIC[file])


def plotly(_request: Request) -> Response:
    """Give Plotly; its version stands in the address, so that a browser may keep it."""
    with resources.as_file(PLOTLY) as path:
        return FileResponse(
            path, media_type="text/javascript", headers={"Cache-Control": "max-age=31536000, immutable"}
        )
