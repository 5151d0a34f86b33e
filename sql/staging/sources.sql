-- One row per dataset: where the ids of its subjects come from.
-- Two copies of one published dataset name the same people; ids of a BIDS folder or a manifest mean nothing elsewhere,
-- but under a second name of the same folder; synthetic people are never those of the dataset whose layout they have.
select
    dataset,
    case
        when adapter in ('bids', 'manifest') then coalesce(same_as, dataset)
        when synthetic then 'synthetic ' || adapter
        else adapter
    end as source,
    case when synthetic then 'synthetic ' else '' end as kind
from staging.stg_datasets
