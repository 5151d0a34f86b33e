-- One row per recipe.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.recipes as event
qualify row_number() over (
    partition by recipe_id
    order by recorded_at desc, job_id desc, parameters desc
) = 1
