-- One row per stored scan, recipe and label that holds for it; the scan's own contrast is a label too.
-- A label of the scan's session comes before one of the subject, and of several the nearest in time counts.
-- `lesion` (present or absent) and `lesion_ml` come from the segmentation where there is one and no dataset states them.
select
    scan_id, recipe_id, content_hash, dataset, subject, subject_uid, session, contrast, label, value, number, unit,
    gap_days, -- days from the scan to the moment the label speaks of, negative before it; null if either is unknown
    label_source, -- dataset: it states the label; scan: its contrast; segmentation: measured on what is stored
    synthetic
from scans join staging.scan_labels using (recipe_id, scan_id)
where status = 'stored' and label <> 'contrast'
union all
select
    scan_id, recipe_id, content_hash, dataset, subject, subject_uid, session, contrast,
    'contrast', contrast, null, null, null, 'scan', synthetic
from scans
where status = 'stored' and contrast is not null
