"""Users from a CSV file: the columns, and the jobs. The file itself comes to ``pools.cognito.uploads``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.user_imports import jobs, lines

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        CreateUserImportJobRequestTypeDef,
        DescribeUserImportJobRequestTypeDef,
        GetCSVHeaderRequestTypeDef,
        ListUserImportJobsRequestTypeDef,
        StartUserImportJobRequestTypeDef,
        StopUserImportJobRequestTypeDef,
    )

    from identity.foundation.actor import Actor
    from pools.models import UserImportJob


def shape(job: UserImportJob) -> dict[str, Any]:
    """Return UserImportJobType. What did not happen yet is left out."""
    described = {
        "job_id": job.public_id,
        "job_name": job.name,
        "user_pool_id": job.pool.public_id,
        "pre_signed_url": jobs.upload_url(job),
        "creation_date": job.created_at,
        "start_date": job.started_at,
        "completion_date": job.completed_at,
        "status": jobs.status(job),
        "cloud_watch_logs_role_arn": job.log_role,
        "password_hashing_algorithm": job.hashing or None,
        "imported_users": job.imported,
        "skipped_users": job.skipped,
        "failed_users": job.failed,
        "completion_message": job.message or None,
    }
    given = {name: value for name, value in described.items() if value is not None}
    found: dict[str, Any] = shapes.outward(shapes.shape("UserImportJobType"), given)
    return found


@user_pools.operation
def get_csv_header(call: GetCSVHeaderRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GetCSVHeader."""
    pool = access.pool(call["UserPoolId"])
    return {"UserPoolId": pool.public_id, "CSVHeader": lines.header(pool)}


@user_pools.operation
def create_user_import_job(call: CreateUserImportJobRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_CreateUserImportJob."""
    pool, hashing = access.pool(call["UserPoolId"]), call.get("PasswordHashingAlgorithm", "")
    return {
        "UserImportJob": shape(
            jobs.create(pool, call["JobName"], log_role=call["CloudWatchLogsRoleArn"], hashing=hashing, by=by)
        )
    }


@user_pools.operation
def describe_user_import_job(call: DescribeUserImportJobRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DescribeUserImportJob."""
    return {"UserImportJob": shape(jobs.named(access.pool(call["UserPoolId"]), call["JobId"]))}


@user_pools.operation
def list_user_import_jobs(call: ListUserImportJobsRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ListUserImportJobs. The newest first; where there is none the list is left out, as its model wants."""
    page = jobs.page(access.pool(call["UserPoolId"]), call["MaxResults"], call.get("PaginationToken"))
    return shapes.page("UserImportJobs", map(shape, page.rows), "PaginationToken", page.token) if page.rows else {}


@user_pools.operation
def start_user_import_job(call: StartUserImportJobRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_StartUserImportJob."""
    return {"UserImportJob": shape(jobs.start(access.pool(call["UserPoolId"]), call["JobId"], by=by))}


@user_pools.operation
def stop_user_import_job(call: StopUserImportJobRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_StopUserImportJob."""
    return {"UserImportJob": shape(jobs.stop(access.pool(call["UserPoolId"]), call["JobId"], by=by))}
