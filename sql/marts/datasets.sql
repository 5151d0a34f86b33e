-- One row per dataset: its licence, what its source lists, and what became of its scans (under any recipe).
with counts as (
    select
        dataset,
        count(distinct scan_id) as n_scans,
        count(distinct subject_uid) as n_subjects,
        count(distinct scan_id) filter (where status = 'stored') as n_stored,
        count(distinct scan_id) filter (where status = 'refused') as n_refused,
        count(distinct scan_id) filter (where status = 'excluded') as n_excluded,
        count(distinct scan_id) filter (where status = 'absent') as n_absent,
        count(distinct scan_id) filter (where status = 'pending') as n_pending,
        bool_or(synthetic) as synthetic
    from scans
    group by dataset
)
-- A manifest may hold scans of datasets that no ingest was named after: they are listed too.
select
    dataset,
    known.adapter, known.same_as, known.title, known.licence, known.restrictions, known.homepage,
    coalesce(known.synthetic, counts.synthetic) as synthetic,
    known.n_scans as n_listed, -- scans the source lists
    coalesce(counts.n_subjects, 0) as n_subjects, -- persons with a scan of any status
    coalesce(counts.n_scans, 0) as n_scans, -- scans of any status
    coalesce(counts.n_stored, 0) as n_stored, -- scans with slices
    coalesce(counts.n_refused, 0) as n_refused, -- scans that cannot be used
    coalesce(counts.n_excluded, 0) as n_excluded, -- scans that a person excluded
    coalesce(counts.n_absent, 0) as n_absent, -- scans that were not downloaded
    coalesce(counts.n_pending, 0) as n_pending, -- scans not looked at yet
    known.recorded_at
from staging.stg_datasets as known full join counts using (dataset)
