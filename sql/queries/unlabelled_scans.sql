-- Which stored scans have no age?
select s.dataset, s.subject, s.session, s.contrast
from scans s
where s.status = 'stored'
    and not exists (select 1 from labelled_scans l where l.scan_id = s.scan_id and l.recipe_id = s.recipe_id and l.label = 'age')
order by all
