"""From the ledger to tables, maps and effects of the order."""
