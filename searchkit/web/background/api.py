"""How far jobs are, by REST: for pages that wait, and for those that show findings so far."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from searchkit.web.index_pool import findings_job, pool_of
from searchkit.web.rendering import job_progress
from searchkit.web.schemas import analysis
from searchkit.web.schemas.requests import PROBLEMS

jobs_api = APIRouter(prefix="/api/jobs", responses=PROBLEMS, tags=["analysis"])


@jobs_api.get("/findings", response_model=analysis.JobProgress)
def read_findings_progress(request: Request) -> Response:
    """Tell how far the search for copies is; it is begun if it wasn't yet."""
    return JSONResponse(asdict(job_progress(request, findings_job(pool_of(request)))))


@jobs_api.get("/{id}", response_model=analysis.JobProgress)
def read_job_progress(request: Request, id: str) -> Response:
    """Tell how far a computation is, by the id that the page that waits for it has."""
    return JSONResponse(asdict(job_progress(request, pool_of(request).find_job(id))))
