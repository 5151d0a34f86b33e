-- For whom is the predicted age furthest off?
select task, encoder_id, head, seed, subject_uid, target_number as age, round(predicted_number, 1) as predicted
from predictions
where task = 'age' and fraction = 1
order by abs(target_number - predicted_number) desc
limit 20
