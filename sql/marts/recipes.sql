-- One row per preprocessing recipe, and what was stored under it.
with counts as (
    select recipe_id, count(*) as n_stored, sum(n_slices) as n_slices from scans where status = 'stored' group by recipe_id
)
select
    recipes.*,
    coalesce(counts.n_stored, 0) as n_stored, -- scans with slices
    coalesce(counts.n_slices, 0)::bigint as n_slices -- their slices
from staging.stg_recipes as recipes left join counts using (recipe_id)
