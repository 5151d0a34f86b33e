-- One row per recipe and scan of any status: whether figures over all datasets count it here, under this dataset.
-- Two scans are one if one source knows both by one key, or if their content is the same, voxel for voxel. Of the
-- datasets that hold a scan one counts: one in which it is stored, else refused, else the first by name.
with keyed as (
    select
        scans.recipe_id, scans.scan_id, scans.dataset, scans.content_hash,
        case when words.verdict = 'exclude' then 'excluded' else scans.status end as status,
        coalesce(sources.source, scans.dataset) || '/' || coalesce(scans.source_key, scans.scan_id) as source_scan
    from staging.stg_scans as scans
    left join staging.sources as sources using (dataset)
    left join staging.stg_overrules as words using (scan_id)
),
hashed as (
    -- A refused or absent scan has no content of its own; its stored copy may have.
    select *, max(content_hash) over (partition by recipe_id, source_scan) as content from keyed
),
named as (
    select
        *,
        case when content is null then source_scan else min(source_scan) over (partition by recipe_id, content) end
            as same_scan
    from hashed
)
select
    recipe_id, scan_id,
    dataset = first_value(dataset) over (
        partition by recipe_id, same_scan order by status = 'stored' desc, status = 'refused' desc, dataset
    ) as counts_overall
from named
