-- One row per recipe, dataset, contrast, vendor and field strength: how many scans, and the share that was refused.
select
    recipe_id, dataset, contrast,
    coalesce(vendor, 'unknown') as vendor, -- scanner vendor
    field_strength,
    count(*) as n_scans, -- scans of any status
    count(distinct subject_uid) as n_subjects, -- persons
    count(*) filter (where status = 'stored') as n_stored, -- scans with slices
    count(*) filter (where status = 'refused') as n_refused, -- scans that cannot be used
    count(*) filter (where status in ('absent', 'pending')) as n_unread, -- scans not downloaded or not looked at yet
    n_refused / nullif(n_stored + n_refused, 0) as refused_share, -- of those that were read; null if none was
    avg(brain_ml) as mean_brain_ml, -- mean volume of the brain masks, ml
    min(through_plane_mm) as least_through_plane_mm, -- thinnest spacing between stored slices, mm
    max(through_plane_mm) as most_through_plane_mm, -- widest spacing between stored slices, mm
    bool_or(synthetic) as synthetic
from scans
group by recipe_id, dataset, contrast, coalesce(vendor, 'unknown'), field_strength
