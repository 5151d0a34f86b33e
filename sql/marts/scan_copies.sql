-- One row per pair of stored scans that are copies of one acquisition (grade copy) or look like one brain.
select
    copies.grade, -- copy: the two subjects are one person from then on; same_person: a hint that links nobody
    copies.score, -- how alike their finest detail is
    copies.likeness, -- how alike the anatomy is
    a.dataset, a.subject, a.subject_uid, a.contrast, a.source_path, a.scan_id,
    b.dataset as other_dataset, b.subject as other_subject,
    b.subject_uid as other_subject_uid, -- the second subject's person
    b.contrast as other_contrast, -- the second scan's contrast
    b.source_path as other_source_path, -- the second scan's image
    b.scan_id as other_scan_id,
    copies.fingerprint_version
from staging.stg_scan_copies as copies
join (select distinct on (scan_id, content_hash) * from scans where status = 'stored') as a
    on a.scan_id = copies.scan_id and a.content_hash = copies.content_hash
join (select distinct on (scan_id, content_hash) * from scans where status = 'stored') as b
    on b.scan_id = copies.other_scan_id and b.content_hash = copies.other_content_hash
