-- One row per scan and recipe that was refused when last read, with its reason and a sentence.
-- A scan that was stored before and whose file became unusable keeps its slices: its status is still `stored`.
select
    dataset, subject, subject_uid, session, contrast, run, recipe_id, scan_id, source_path, status, reason, message,
    synthetic, recorded_at
from scans
where reason is not null and status <> 'excluded'
