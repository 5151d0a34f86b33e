-- Which features and head are best for each task, and do they clear the best floor?
with best as (
    select task, metric, is_floor, features, head, mean, n,
        row_number() over (
            partition by task, metric, is_floor order by case when metric = 'mae' then mean else -mean end
        ) as place
    from results
    where fraction = 1
)
select b.task, b.metric, b.features, b.head, round(b.mean, 3) as mean, f.features as best_floor, round(f.mean, 3) as floor_mean, b.n
from best b left join best f on f.task = b.task and f.metric = b.metric and f.is_floor and f.place = 1
where not b.is_floor and b.place = 1
order by b.task, b.metric
