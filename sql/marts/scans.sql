-- One row per scan and recipe: what it is, whose, and what became of it (stored, refused, absent or pending).
select
    scans.*,
    coalesce(linked.subject_uid, scans.dataset || '/' || scans.subject) as subject_uid -- one per person, over all datasets
from staging.stg_scans as scans left join staging.linked_subjects as linked using (dataset, subject)
