-- One row per stored scan with a segmentation: how much its source outlined, as far as it lies in the stored slices.
-- A scan without a segmentation has no row: whether it shows a lesion is not known, and it is never called free of one.
select
    scans.scan_id, scans.recipe_id, scans.content_hash, scans.dataset, scans.subject, scans.subject_uid, scans.session,
    scans.contrast, scans.segmentation_codes,
    outlines.lesion_ml, -- volume of all codes above 0, ml
    outlines.n_lesion_slices, -- stored slices that show some of it
    scans.synthetic
from scans join staging.outlines as outlines using (recipe_id, scan_id)
where scans.status = 'stored'
