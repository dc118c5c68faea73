-- By itself, because it locks media_requests.
SELECT place_title_marks(2000);
