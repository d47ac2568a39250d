"""A pool's apps where messages ask for them: a constant statement, as in ``hot``. Decides nothing."""

from __future__ import annotations

from typing import NamedTuple

from pools.models.statements import every

WITH_FLOW = """
SELECT client_id, name FROM app_client
WHERE pool_id = %(pool)s AND oauth_enabled AND oauth_flows @> ARRAY[%(flow)s::varchar] AND registered = ''
    AND (identity_providers = '{}' OR identity_providers @> ARRAY[%(provider)s::varchar])
ORDER BY id LIMIT 2
"""


class App(NamedTuple):
    """What messages say of an app."""

    client_id: str
    name: str


def with_flow(pool_id: int, flow: str, provider: str) -> list[App]:
    """Return the oldest two of a pool's apps that use OAuth by a flow, and name a provider or none at all.

    Those that registered themselves are left aside.
    """
    return [App._make(row) for row in every(WITH_FLOW, {"pool": pool_id, "flow": flow, "provider": provider})]
