-- One row per stored scan with a segmentation: how much is outlined in its stored slices.
select
    recipe_id, scan_id,
    sum(slices.lesion_mm2) * any_value(scans.through_plane_mm) / 1000 as lesion_ml,
    count(*) filter (where slices.lesion_mm2 > 0) as n_lesion_slices
from staging.stg_scans as scans join staging.stg_slices as slices using (recipe_id, scan_id, content_hash)
where scans.status = 'stored' and scans.has_segmentation
group by recipe_id, scan_id
