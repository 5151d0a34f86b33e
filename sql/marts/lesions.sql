-- One row per stored scan with a segmentation: how much its source outlined, as far as it lies in the stored slices.
-- A scan without a segmentation has no row: whether it shows a lesion is not known, and it is never called free of one.
select
    scans.scan_id, scans.recipe_id, scans.content_hash, scans.dataset, scans.subject, scans.subject_uid, scans.session,
    scans.contrast, scans.segmentation_codes,
    sum(slices.lesion_mm2) * any_value(scans.through_plane_mm) / 1000 as lesion_ml, -- volume of all codes above 0, ml
    count(*) filter (where slices.lesion_mm2 > 0) as n_lesion_slices, -- stored slices that show some of it
    scans.synthetic
from scans join staging.stg_slices as slices using (recipe_id, scan_id, content_hash)
where scans.status = 'stored' and scans.has_segmentation
group by all
