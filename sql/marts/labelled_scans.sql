-- One row per stored scan, recipe and label that holds for it; the scan's own contrast is a label too.
-- A label of the scan's session comes before one of the subject, and of several the nearest in time counts.
-- `lesion` (present or absent) and `lesion_ml` come from the segmentation where there is one and no dataset states them.
select
    scan_id, recipe_id, content_hash, dataset, subject, subject_uid, session, contrast, label, value, number, unit,
    gap_days, -- days from the scan to the moment the label speaks of, negative before it; null if either is unknown
    'dataset' as label_source, -- dataset: it states the label; scan: its contrast; segmentation: measured on what is stored
    synthetic
from scans join staging.scan_labels using (recipe_id, scan_id)
where status = 'stored' and label <> 'contrast'
union all by name
select
    scan_id, recipe_id, content_hash, dataset, subject, subject_uid, session, contrast,
    'contrast' as label, contrast as value, 'scan' as label_source, synthetic
from scans
where status = 'stored' and contrast is not null
union all by name
select
    scan_id, recipe_id, content_hash, dataset, subject, subject_uid, session, contrast,
    'lesion' as label, case when lesion_ml > 0 then 'present' else 'absent' end as value,
    'segmentation' as label_source, synthetic
from lesions
anti join (select recipe_id, scan_id from staging.scan_labels where label = 'lesion') as own using (recipe_id, scan_id)
union all by name
select
    scan_id, recipe_id, content_hash, dataset, subject, subject_uid, session, contrast,
    'lesion_ml' as label, lesion_ml as number, 'ml' as unit, 'segmentation' as label_source, synthetic
from lesions
anti join (select recipe_id, scan_id from staging.scan_labels where label = 'lesion_ml') as own using (recipe_id, scan_id)
