-- One row per scan and recipe: what it is, whose, and what became of it (stored, refused, absent, pending or excluded).
-- A person's word counts: a stored scan that was excluded is `excluded` here, whatever is read of it later.
select
    scans.* replace (
        case when words.verdict = 'exclude' and scans.status = 'stored' then 'excluded' else scans.status end as status
    ),
    coalesce(linked.subject_uid, scans.dataset || '/' || scans.subject) as subject_uid, -- one per person, over all datasets
    case when words.verdict = 'exclude' then words.why end as excluded_why -- why a person excluded it; null if nobody did
from staging.stg_scans as scans
left join staging.linked_subjects as linked using (dataset, subject)
left join staging.stg_overrules as words using (scan_id)
