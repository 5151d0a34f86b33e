-- One row per bin that coverage counts a number under: above one edge, up to and with the other.
-- Ages are completed years; millimetres are rounded to hundredths first, so that 1.0000001 mm is 1 mm.
select dimension, position, above, up_to, stratum
from (values
    ('age_band', 1, -1, 5, '0-5'),
    ('age_band', 2, 5, 12, '6-12'),
    ('age_band', 3, 12, 17, '13-17'),
    ('age_band', 4, 17, 29, '18-29'),
    ('age_band', 5, 29, 39, '30-39'),
    ('age_band', 6, 39, 49, '40-49'),
    ('age_band', 7, 49, 59, '50-59'),
    ('age_band', 8, 59, 69, '60-69'),
    ('age_band', 9, 69, 79, '70-79'),
    ('age_band', 10, 79, 1000, '80+'),
    ('mm', 1, 0, 0.8, 'up to 0.8 mm'),
    ('mm', 2, 0.8, 1, 'over 0.8 to 1 mm'),
    ('mm', 3, 1, 1.25, 'over 1 to 1.25 mm'),
    ('mm', 4, 1.25, 1.5, 'over 1.25 to 1.5 mm'),
    ('mm', 5, 1.5, 2, 'over 1.5 to 2 mm'),
    ('mm', 6, 2, 3, 'over 2 to 3 mm'),
    ('mm', 7, 3, 5, 'over 3 to 5 mm'),
    ('mm', 8, 5, 1000, 'over 5 mm')
) as bins (dimension, position, above, up_to, stratum)
