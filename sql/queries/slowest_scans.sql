-- Which scans took longest to read?
select dataset, source_path, mask_method, round(seconds, 2) as seconds
from scans
where seconds is not null
order by seconds desc
limit 20
