-- One row per slice of the present content of a stored scan.
select
    slices.* exclude (recorded_at, job_id), scans.dataset, scans.subject_uid, scans.contrast, scans.plane, scans.synthetic
from staging.stg_slices as slices join scans using (recipe_id, scan_id, content_hash)
where scans.status = 'stored'
