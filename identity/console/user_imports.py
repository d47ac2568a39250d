"""How imports of users from a CSV file stand, and which lines failed. The wire API makes and starts them."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_safe

from identity.console.pages import PAGE, inside, page_token, pager, show_list
from identity.console.people import crumbs
from identity.console.tables import Cell, Column, Empty, Table, code, moment, state
from identity.foundation import errors
from pools.services import access
from pools.services.user_imports import failures, jobs

if TYPE_CHECKING:
    from identity.console.tables import Tone
    from pools.models import UserImportJob

STATES: dict[str, tuple[object, Tone]] = {
    "Created": (gettext_lazy("Waits for its file"), ""),
    "Pending": (gettext_lazy("Waits for a worker"), ""),
    "InProgress": (gettext_lazy("In progress"), ""),
    "Stopping": (gettext_lazy("Stopping"), "warn"),
    "Stopped": (gettext_lazy("Stopped"), "warn"),
    "Expired": (gettext_lazy("Expired"), "warn"),
    "Failed": (gettext_lazy("Failed"), "danger"),
    "Succeeded": (gettext_lazy("Succeeded"), "good"),
}
OVER = {"Stopped", "Expired", "Failed", "Succeeded"}


def state_of(job: UserImportJob) -> Cell:
    """Return how a job stands as a badge."""
    text, tone = STATES[jobs.status(job)]
    return state(str(text), tone)


@require_safe
def imports(request: HttpRequest, pool_id: str) -> HttpResponse:
    """List a pool's imports, the newest first."""
    pool = access.pool(pool_id)
    try:
        page = jobs.page(pool, PAGE, page_token(request))
    except errors.Invalid:
        return HttpResponseRedirect(request.path)
    table = Table(
        caption=gettext("Imports of users"),
        columns=(
            Column(gettext("Name")),
            Column(gettext("State")),
            Column(gettext("Users made"), wide_only=True),
            Column(gettext("Created"), wide_only=True),
        ),
        rows=[
            (
                Cell(job.name, href=reverse("console:import", args=[pool_id, job.public_id]), note=job.public_id),
                state_of(job),
                Cell(number_format(job.imported, force_grouping=True)),
                moment(job.created_at),
            )
            for job in page.rows
        ],
        empty=Empty(
            gettext("No import yet"),
            gettext(
                "Any Cognito client makes an import job, and tells where to send the CSV file. A job with "
                "--password-hashing-algorithm BCRYPT, SCRYPT, ARGON2ID or PBKDF2_SHA256 takes another system’s hashes "
                "from a column password_hash: people keep their passwords."
            ),
            command=f"aws cognito-idp create-user-import-job --user-pool-id {pool.public_id} --job-name move "
            "--cloud-watch-logs-role-arn arn:aws:iam::000000000000:role/unused",
        ),
        **pager(request, page.token),
    )
    context = inside(pool, "users", title=gettext("Imports"), table=table)
    context["crumbs"] += crumbs(pool)
    return show_list(request, "tabbed_list.html", context)


@require_safe
def one_import(request: HttpRequest, pool_id: str, job_id: str) -> HttpResponse:
    """Show an import: how far it is, and the lines that made no user."""
    pool = access.pool(pool_id)
    job = jobs.named(pool, job_id)
    try:
        page = failures.page(job, PAGE, page_token(request))
    except errors.Invalid:
        return HttpResponseRedirect(request.path)
    counts = [
        (label, number_format(count, force_grouping=True))
        for label, count in (
            (gettext("Users made"), job.imported),
            (gettext("Skipped, since they were there"), job.skipped),
            (gettext("Failed"), job.failed),
        )
    ]
    hashing = [(gettext("Password hashes"), job.get_hashing_display())] if job.hashing else []
    table = Table(
        caption=gettext("Lines that made no user"),
        columns=(Column(gettext("Line")), Column(gettext("Why"))),
        rows=[(code(str(row.number)), Cell(row.reason)) for row in page.rows],
        empty=Empty(gettext("No line failed"), gettext("Lines of the file that make no user are listed here.")),
        **pager(request, page.token),
    )
    context = inside(
        pool,
        "users",
        title=job.name,
        job=job,
        state=state_of(job),
        is_over=jobs.status(job) in OVER,
        facts=counts + hashing,
        table=table,
        download=reverse("console:import_failures", args=[pool_id, job_id]) if page.rows else "",
    )
    context["crumbs"] += [*crumbs(pool), (gettext("Imports"), reverse("console:imports", args=[pool_id]))]
    return show_list(request, "import.html", context)


@require_safe
def import_failures(request: HttpRequest, pool_id: str, job_id: str) -> HttpResponse:
    """Return all lines that made no user as a file. Its cells are line numbers and our own words: no formula."""
    del request
    job = jobs.named(access.pool(pool_id), job_id)
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(["line", "skipped", "reason"])
    rows.writerows((row.number, "true" if row.skipped else "false", row.reason) for row in failures.every(job))
    headers = {"Content-Disposition": f'attachment; filename="{job.public_id}.csv"'}
    return HttpResponse(written.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)
