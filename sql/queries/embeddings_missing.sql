-- Which stored scans lack a vector of which encoder?
select e.encoder_id, s.recipe_id, s.dataset, count(*) as scans
from scans s cross join encoders e
where s.status = 'stored'
    and not exists (
        select 1 from embeddings v
        where v.scan_id = s.scan_id and v.recipe_id = s.recipe_id and v.encoder_id = e.encoder_id
    )
group by all
order by scans desc
