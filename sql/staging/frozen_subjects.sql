-- One row per test subject as it was frozen: by name for a task, or with its whole dataset under `external:<dataset>`.
select task, dataset, subject from staging.stg_holdouts
union
select 'external:' || dataset, dataset, subject
from staging.stg_external_datasets join staging.names using (dataset)
