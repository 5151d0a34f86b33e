-- Which stored brains are unusually small or large for their dataset?
select dataset, source_path, mask_method, round(brain_ml) as brain_ml,
    round((brain_ml - avg(brain_ml) over d) / nullif(stddev_samp(brain_ml) over d, 0), 1) as z
from scans
where status = 'stored'
window d as (partition by recipe_id, dataset)
qualify abs(z) > 2.5
order by abs(z) desc
