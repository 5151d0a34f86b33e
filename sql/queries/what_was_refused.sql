-- Which scans were refused, and why?
select dataset, reason, count(*) as scans, any_value(message) as for_example
from refusals
where status = 'refused'
group by all
order by scans desc
