"""The dashboard's web application: pages, their items as they are answered, downloads, and nothing that writes.

No text of a query comes from the browser: an address names a workbook, an item by its place, and parameters' values,
which workbooks.substitute lets into a query as literals alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from kql.engine import ResultTable
from workbooks.dashboard.export import to_csv
from workbooks.dashboard.guard import Guard
from workbooks.dashboard.shelf import page_url
from workbooks.fragments import Fragment, Page, anchor_of, shell
from workbooks.live import Answers, View, draw, settle
from workbooks.resolve_scope import declarations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.requests import Request

    from workbooks.dashboard.shelf import Shelf
    from workbooks.dashboard.source import Source
    from workbooks.resolve import State

HERE: Final = Path(__file__).resolve().parent.parent
STATIC: Final = {"page.css": "text/css", "page.js": "text/javascript", "dashboard.js": "text/javascript"}
REFRESH: Final = (0, 30, 60, 300)
"""Seconds between refreshes that a reader can choose; 0 is none."""


@dataclass
class Dashboard:
    """Workbooks over a source. `hosts` are the names that it is served under; `resources` what pickers offer."""

    shelf: Shelf
    source: Source
    hosts: frozenset[str]
    resources: tuple[str, ...] = ()

    @cached_property
    def answers(self) -> Answers:
        """The answers of the source, shared by all pages."""
        return Answers(self.source.engine)

    @cached_property
    def templates(self) -> Environment:
        """The page's frame."""
        loader = FileSystemLoader(HERE / "templates")
        return Environment(loader=loader, autoescape=select_autoescape(default=True), undefined=StrictUndefined)

    def app(self) -> Starlette:
        """Give the application."""
        routes = [
            Route("/", self.front),
            Route("/w/{name}", self.page),
            Route("/w/{name}/items", self.items),
            Route("/w/{name}/csv/{anchor}", self.csv),
            Route("/static/plotly.js", plotly),
            Route("/static/{file}", static),
        ]
        return Starlette(routes=routes, middleware=[Middleware(Guard, hosts=self.hosts)])

    def front(self, _request: Request) -> Response:
        """Lead to the first workbook."""
        first = next(iter(self.shelf.books), None)
        if first is None:
            raise HTTPException(404, "there is no workbook to show")
        return RedirectResponse(page_url(first, {}))

    def page(self, request: Request) -> Response:
        """Give a page's frame and the places of its items, at once; the items come after."""
        name = self._name(request)
        books = [{"name": other, "url": page_url(other, {}), "here": other == name} for other in self.shelf.books]
        html = self.templates.get_template("dashboard.html").render(
            name=name, books=books, source=self.source, refresh=REFRESH, shell=shell(self.shelf.books[name])
        )
        return HTMLResponse(html)

    def items(self, request: Request) -> Response:
        """Stream a page's items, a JSON object a line, each as soon as it is answered."""
        name, view = self._view(request)
        return StreamingResponse(self._lines(name, view), media_type="application/x-ndjson")

    def csv(self, request: Request) -> Response:
        """Give one item's result as a file."""
        name, view = self._view(request)
        state = settle(view, self.answers)
        wanted = request.path_params["anchor"]
        found = next((one for path, one in state.items.items() if anchor_of(path) == wanted), None)
        if found is None or found.request is None:
            raise HTTPException(404, "no such item, or it asks nothing now")
        answer = self.answers.ask(found.request, view.now).result()
        if not isinstance(answer, ResultTable):
            raise HTTPException(409, str(answer))
        file = "".join(sign if sign.isalnum() else "-" for sign in found.item.name or name)
        headers = {"Content-Disposition": f'attachment; filename="{file}.csv"'}
        return Response(to_csv(answer), media_type="text/csv; charset=utf-8", headers=headers)

    def _name(self, request: Request) -> str:
        name = str(request.path_params["name"])
        if name not in self.shelf.books:
            raise HTTPException(404, f"there is no workbook {name!r}; there are {', '.join(self.shelf.books)}")
        return name

    def _view(self, request: Request) -> tuple[str, View]:
        name = self._name(request)
        known = {declared.key for declared in declarations(self.shelf.books[name]).all}
        asked = request.query_params
        chosen = {key: tuple(asked.getlist(key)) for key in asked if key in known}
        return name, View(self.shelf.books[name], self.source.instant(), chosen, self.resources)

    def _lines(self, name: str, view: View) -> Iterator[str]:
        state = settle(view, self.answers)
        page = self._page(name, view, state)
        for found in draw(page, self.answers, view.now):
            yield json.dumps(line_of(found), ensure_ascii=False) + "\n"
        yield json.dumps({"done": True, "at": view.now.isoformat(), "note": self.source.note}) + "\n"

    def _page(self, name: str, view: View, state: State) -> Page:
        def changed(parameters: Mapping[str, str]) -> str:
            chosen: dict[str, Sequence[str]] = {**view.chosen, **{key: [value] for key, value in parameters.items()}}
            return page_url(name, chosen)

        return Page(state, self.shelf.url, changed, lambda anchor: page_url(name, view.chosen, f"/csv/{anchor}"))


def line_of(found: Fragment) -> dict[str, Any]:
    """Give a fragment as the browser takes it."""
    return {"id": found.anchor, "shown": found.shown, "html": str(found.html), "figure": found.figure}


def static(request: Request) -> Response:
    """Give one of our own files."""
    file = request.path_params["file"]
    if file not in STATIC:
        raise HTTPException(404)
    return FileResponse(HERE / "static" / file, media_type=STATIC[file])


def plotly(_request: Request) -> Response:
    """Give the Plotly that the Python package carries: nothing is loaded from elsewhere."""
    with resources.as_file(resources.files("plotly") / "package_data" / "plotly.min.js") as path:
        return FileResponse(path, media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})
