-- Those of 0021 serve both releases instead. By itself, because readers wait for a DROP INDEX, but not while others build.
DROP INDEX media_requests_recent, media_requests_user;
