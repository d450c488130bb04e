"""The table: every request that somebody could ask about, and what must become of it."""

from tests.policies.table import (
    bus,
    hub_data,
    hub_key,
    hub_network,
    hub_roles,
    partitions,
    scan_session,
    spoke_role,
    spoke_trust,
    worker,
)

ROWS = (
    *bus.ROWS,
    *hub_key.ROWS,
    *hub_data.ROWS,
    *worker.ROWS,
    *hub_roles.ROWS,
    *hub_network.ROWS,
    *spoke_trust.ROWS,
    *spoke_role.ROWS,
    *scan_session.ROWS,
    *partitions.ROWS,
)
