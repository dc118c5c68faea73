// Made by `make docs` from the API document with the SHA-256 hash
// 3306b92817cb39206b0d7002d4e25c52aacf9698f603f47095d820ff3c18565e

export interface paths {
    "/api/admin/audit-logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the audit log, newest first; from is inclusive, to is exclusive
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["listAuditLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List every setting that can change at run time
         * @description For admins.
         *
         *     Default limits: `admin-config`: 60 calls in 60 s by user.
         */
        get: operations["listSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/config/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change a setting, effective everywhere within half a minute
         * @description With `expected`, only if the setting still has this value.
         *
         *     For admins.
         *
         *     Default limits: `admin-config`: 60 calls in 60 s by user.
         */
        put: operations["changeSetting"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/fulfilment/adopt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Hand over the approved titles that no server has taken yet, up to 2,000 in one call
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["adoptTitles"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the jobs, the newest first
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return a job
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["getJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a queued job
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["cancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a job as soon as possible, unless it is done
         * @description If another job has taken the place of a dead or cancelled one, that one is retried and returned.
         *
         *     For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["retryJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/jobs/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry up to 500 dead jobs, those that died first first
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["retryJobs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the requests of all users, with the requesters
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["listRequests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/requests/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve a pending request, and queue it for a download server if there is one
         * @description The server is the one that the call names, or the one that the routing rules choose.
         *
         *     For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["approveRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/requests/{id}/decline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decline a pending request, with a reason that the requester can read
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["declineRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/requests/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Hand an approved request over to its server again, at once, after a failure or a delay
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["retryRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/requests/{id}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Withdraw an approval: the request is declined, and its title can be requested again
         * @description What a download server already has stays there.
         *
         *     For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["withdrawRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/requests/counts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count the requests of all users by state; the filters are those of the list
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["countRequests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/requests/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve or decline many requests in one call; the response has a result for each
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["decideRequests"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/routing-rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the rules in their order; the first one whose conditions all hold decides
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["listRoutingRules"];
        /**
         * Replace all rules; with expected, only if they are still these
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        put: operations["replaceRoutingRules"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/servers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the servers that fetch titles, without their secrets
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["listServers"];
        put?: never;
        /**
         * Add a server; its profiles, folders and tags are read soon after. There are 10 at most
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["createServer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/servers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return a server, without its secrets
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["getServer"];
        put?: never;
        post?: never;
        /**
         * Delete a server with its rules; nothing changes on the server itself
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        delete: operations["deleteServer"];
        options?: never;
        head?: never;
        /**
         * Change a server, which also frees a misconfigured one
         * @description Another address removes the API key and the headers, unless a new key comes with it.
         *
         *     For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        patch: operations["changeServer"];
        trace?: never;
    };
    "/api/admin/servers/{id}/inventory": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return the profiles, folders and tags of a server, as they were last read
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["showInventory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/servers/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Call a server now, in 8 seconds at most; a success frees a misconfigured one
         * @description For admins.
         *
         *     Default limits: `server-test`: 10 calls in 60 s by user.
         */
        post: operations["checkServer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count users, requests and sessions
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["showStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List users
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["listUsers"];
        put?: never;
        /**
         * Create a local account
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        post: operations["createUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return a user, with status and quota
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        get: operations["getUser"];
        put?: never;
        post?: never;
        /**
         * Delete a user with all sessions and requests; the audit log keeps its entries
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        /**
         * Change a user's role, status or quota, effective immediately
         * @description A new role or a suspension revokes all sessions of the user.
         *
         *     For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        patch: operations["changeUser"];
        trace?: never;
    };
    "/api/admin/users/{id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke all sessions of a user
         * @description For admins.
         *
         *     Default limits: `admin`: 100 calls in 60 s by user.
         */
        delete: operations["revokeSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/csrf": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return a CSRF token for this session
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        get: operations["csrfToken"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in to a local account
         * @description The policy `login` limits failures by IP address and `identifier`. A network that has signed in
         *     to the account before has a separate limit.
         *
         *     Public.
         *
         *     Default limits: `auth`: 10 calls in 60 s by IP address; `login`: 5 calls in 900 s by IP address and `identifier`, failures only.
         */
        post: operations["signIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out: revoke this session, or all sessions of the caller
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return the signed-in user
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return what the sign-in page shows and offers
         * @description Public.
         *
         *     Default limits: `api`: 100 calls in 60 s by IP address.
         */
        get: operations["signInOptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the caller's password and revoke the caller's other sessions
         * @description For signed-in users.
         *
         *     Default limits: `password`: 3 calls in 3600 s by user.
         */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/plex/pin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a sign-in: open authUrl, approve it there, then verify with pinId
         * @description Public.
         *
         *     Default limits: `auth`: 10 calls in 60 s by IP address; `plex-pin`: 5 calls in 300 s by IP address.
         */
        post: operations["beginPlexSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/plex/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Finish a sign-in after its approval; a pinId works once
         * @description Public.
         *
         *     Default limits: `api`: 100 calls in 60 s by IP address; `plex-verify`: 90 calls in 60 s by `pinId`.
         */
        post: operations["finishPlexSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace the session's token or cookie with a new one; the old one is revoked
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return the session of the call, or an empty object without a valid one, never 401
         * @description Public.
         *
         *     Default limits: `api`: 100 calls in 60 s by user, without a session by IP address.
         */
        get: operations["currentSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the caller's active sessions, newest first
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        get: operations["ownSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke one of the caller's sessions
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        delete: operations["revokeSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return a web page that shows the API document
         * @description Public.
         *
         *     Default limits: `docs`: 60 calls in 60 s by IP address.
         */
        get: operations["docsPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs/{asset}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return a script or a style sheet of the API page
         * @description Public.
         *
         *     Default limits: `docs`: 60 calls in 60 s by IP address.
         */
        get: operations["docsAsset"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check the database and the cache
         * @description Public.
         */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/{mediaType}/{tmdbId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return the details of a film or show; each season has the state of its request
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        get: operations["getTitle"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/discover": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List trending, popular, upcoming or requested titles; each item has the state of its request
         * @description The lists of TMDB are at most an hour old, and older while TMDB is down. `trending` is of the
         *     week; its pages and `total` are as in a search. Of `popular` and `upcoming`, TMDB has separate
         *     lists of films and shows: `type=all` has a film and a show in turn. Upcoming shows are new ones.
         *     `requested` has each title of the newest 200 active requests once, and does not need TMDB.
         *
         *     For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        get: operations["discover"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/quota": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return the caller's request quotas, each with its use
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        get: operations["showQuota"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/request": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Request a film, or seasons of a show
         * @description Without `seasons`, the request has all seasons with an episode or an air date, except for the
         *     specials. `seasons` can also name a season that is only announced, or the specials (0).
         *
         *     For signed-in users.
         *
         *     Default limits: `media-request`: 20 calls in 3600 s by user.
         */
        post: operations["createRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the caller's requests
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        get: operations["ownRequests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/requests/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return one of the caller's requests; an admin can read any
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        get: operations["getRequest"];
        put?: never;
        post?: never;
        /**
         * Cancel one of the caller's pending requests; an admin can cancel any pending request
         * @description For signed-in users.
         *
         *     Default limits: `api`: 100 calls in 60 s by user.
         */
        delete: operations["cancelRequest"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search films and shows; each item has the state of its request
         * @description TMDB also finds people, which are omitted, so a page can have fewer than 20 items. A page that
         *     has only people is skipped: continue from the `page` in the response. `total` also counts
         *     people, unless all results fit on one page. On a page after the last film or show, `total` is
         *     the number of results on the pages before it.
         *
         *     `tmdb:603` finds the film and the show with this TMDB id, `imdb:tt0133093` the title with this
         *     IMDb id, and `matrix (1999)` titles of this year (1870 to 2100). With a year and `type=all`,
         *     films and shows come in turn. Any other text is searched for as words.
         *
         *     For signed-in users.
         *
         *     Default limits: `search`: 30 calls in 60 s by user.
         */
        get: operations["search"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return the OpenAPI 3.0 document of all functions, without an envelope
         * @description Public.
         *
         *     Default limits: `docs`: 60 calls in 60 s by IP address.
         */
        get: operations["openapiDocument"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description This account is suspended. */
        ACCOUNT_SUSPENDED: {
            error: {
                /** @enum {string} */
                code: "ACCOUNT_SUSPENDED";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The fulfilment of an approved request, as admins see it. */
        AdminFulfilment: {
            /** @description Why it failed or, for admins, why it waits */
            error?: components["schemas"]["FulfilmentError"];
            /**
             * Format: uuid
             * @description Id of the job that is due, or that failed
             */
            jobId?: string;
            /** @description The state of each season of a show */
            seasons?: components["schemas"]["SeasonFulfilment"][];
            /** @description The download server of the title */
            server?: components["schemas"]["ServerName"];
            /**
             * Format: date-time
             * @description Time when the state began
             */
            since?: string;
            /**
             * @description The least advanced state of its items: an admin fetches it (`manual`), it waits for a download server (`queued`), the server has it (`submitted`), its files have arrived (`downloaded`), or it cannot be fetched (`failed`)
             * @enum {string}
             */
            state: "manual" | "queued" | "submitted" | "downloaded" | "failed";
        };
        /** @description A request with its requester. */
        AdminRequest: {
            /** @description The requester's note to the admins */
            comment?: string;
            /** @description What became of it; absent unless it is approved */
            fulfilment?: components["schemas"]["AdminFulfilment"];
            /**
             * Format: uuid
             * @description Id of the request
             */
            id: string;
            /**
             * @description Film (`movie`) or show (`tv`)
             * @enum {string}
             */
            mediaType: "movie" | "tv";
            /** @description Path of the poster, relative to TMDB's image URL */
            posterPath?: string;
            /**
             * Format: date-time
             * @description Time of the decision
             */
            processedAt?: string;
            /**
             * Format: uuid
             * @description Id of the admin who decided; absent if no admin decided, or after the admin's deletion
             */
            processedBy?: string;
            /** @description Name of the admin who decided; absent if no admin decided, or after the admin's deletion */
            processedByName?: string;
            /** @description The admin's reason for declining it */
            reason?: string;
            /**
             * Format: date-time
             * @description Time of the request
             */
            requestedAt: string;
            requester: components["schemas"]["Requester"];
            /** @description Numbers of the requested seasons; 0 is the specials */
            seasons?: number[];
            /**
             * @description State of the request
             * @enum {string}
             */
            status: "pending" | "approved" | "declined";
            /** @description Title at TMDB at the time of the request */
            title: string;
            /** @description TMDB id of the title */
            tmdbId: number;
            /**
             * Format: uuid
             * @description Id of the user who made it
             */
            userId: string;
            /** @description Year of the first release */
            year?: number;
        };
        AdminRequestPage: {
            /** @description The items of this page */
            data: components["schemas"]["AdminRequest"][];
            pagination: components["schemas"]["Pagination"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description A user, with the fields that only admins can read. */
        AdminUser: {
            /**
             * Format: date-time
             * @description Time when the account was created
             */
            createdAt: string;
            /** @description E-mail address; a placeholder under `plex.invalid` if Plex has none */
            email: string;
            /**
             * Format: uuid
             * @description Id of the user
             */
            id: string;
            /** @description Id of the account at Plex, as a string; absent for a local account */
            plexId?: string;
            /** @description Quotas of this user, which override those of the role */
            quota?: {
                [key: string]: {
                    [key: string]: number | null;
                };
            };
            /**
             * @description Role of the user
             * @enum {string}
             */
            role: "admin" | "user";
            /**
             * @description `active`, or `suspended`: the user cannot sign in
             * @enum {string}
             */
            status: "active" | "suspended";
            /**
             * Format: date-time
             * @description Time of its last change
             */
            updatedAt: string;
            /** @description User name */
            username: string;
        };
        AdminUserResponse: {
            /** @description The result */
            data: components["schemas"]["AdminUser"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The approved titles that were fetched by hand. */
        Adopted: {
            /** @description Whether another call will queue further titles */
            more: boolean;
            /** @description Titles that now wait for a download server */
            queued: number;
            /** @description Titles for which no server is enabled */
            skipped: number;
        };
        AdoptedResponse: {
            /** @description The result */
            data: components["schemas"]["Adopted"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The call that queues what is fetched by hand; it has no fields. */
        AdoptIn: Record<string, never>;
        /** @description This title has already been requested. */
        ALREADY_REQUESTED: {
            error: {
                /** @enum {string} */
                code: "ALREADY_REQUESTED";
                /** @description Only if the request with the title is the caller's own */
                details?: {
                    /** Format: uuid */
                    requestId: string;
                };
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description An error: a code of the error reference, a message, and details that depend on the code. */
        ApiError: {
            /** @description Code of the error reference, which clients branch on */
            code: string;
            /** @description Further information, depending on the code */
            details?: unknown;
            /** @description A sentence to display, which may change */
            message: string;
        };
        /** @description The approval of a request. */
        ApproveIn: {
            /** @description Note for the audit log */
            note?: string | null;
            /** @description Options that differ from those of the server */
            options?: {
                /**
                 * @description Radarr only: when a film counts as available
                 * @enum {string|null}
                 */
                minimumAvailability?: "announced" | "inCinemas" | "released" | null;
                /**
                 * @description Sonarr only: whether later seasons are fetched as well
                 * @enum {string|null}
                 */
                monitorNewItems?: "all" | "none" | null;
                /** @description Id of the quality profile on the server */
                qualityProfileId?: number | null;
                /** @description Folder on the server where the title goes */
                rootFolderPath?: string | null;
                /** @description Whether the server searches for the title at once */
                search?: boolean | null;
                /** @description Sonarr only: whether each season has a folder */
                seasonFolder?: boolean | null;
                /**
                 * @description Sonarr only: how the episodes are numbered
                 * @enum {string|null}
                 */
                seriesType?: "standard" | "daily" | "anime" | null;
                /** @description Whether the title gets a tag with the requester's name */
                tagRequester?: boolean | null;
                /** @description Labels of tags; the server gets those that it lacks */
                tags?: string[] | null;
            } | null;
            /**
             * Format: uuid
             * @description Id of the download server of the title; without it, the routing rules decide
             */
            serverId?: string | null;
        };
        /** @description An action with its actor, target, time and origin. */
        AuditLog: {
            /** @description Kind of the action */
            action: string;
            /**
             * Format: date-time
             * @description Time of the action
             */
            createdAt: string;
            /** @description Further facts, which depend on the action */
            details: {
                [key: string]: unknown;
            };
            /**
             * Format: uuid
             * @description Id of the audit row
             */
            id: string;
            /** @description IP address of the client; `0.0.0.0` in a test call of API Gateway's console */
            ip: string;
            /** @description Id of the API call, as in its `X-Request-Id` header */
            requestId: string;
            /** @description Id of the action's target; absent for a session */
            targetId?: string;
            /** @description Present name of a user or server, or title of a request; absent once it is deleted */
            targetName?: string;
            /** @description Kind of the action's target */
            targetType?: string;
            /** @description `User-Agent` header of the client */
            userAgent: string;
            /**
             * Format: uuid
             * @description Id of the user who acted; absent without a session, or after the user's deletion
             */
            userId?: string;
            /** @description Present name of the user who acted */
            userName?: string;
        };
        AuditLogPage: {
            /** @description The items of this page */
            data: components["schemas"]["AuditLog"][];
            pagination: components["schemas"]["Pagination"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The requests of the caller that are approved automatically. */
        AutoApprove: {
            /** @description Whether requests for films are */
            movie: boolean;
            /** @description Whether requests for shows are */
            tv: boolean;
        };
        /** @description The film and show catalogue cannot be reached. */
        CATALOG_UNAVAILABLE: {
            error: {
                /** @enum {string} */
                code: "CATALOG_UNAVAILABLE";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The check of one server. */
        Check: {
            /** @description Time until it responded or failed, in milliseconds; 0 with `none` */
            latencyMs: number;
            /**
             * @description Whether the server responds; `none` is a cache that the service does not have
             * @enum {string}
             */
            status: "healthy" | "unhealthy" | "none";
        };
        /** @description The checks of the database and the cache; plex.tv and TMDB are not checked. */
        Checks: {
            cache: components["schemas"]["Check"];
            database: components["schemas"]["Check"];
        };
        /** @description Conditions on a title; a list holds if it has one of the title's values. */
        Conditions: {
            /** @description Whether it is anime */
            anime?: boolean;
            /** @description It has one of these genres of TMDB */
            genreIds?: number[];
            /** @description It has one of these keywords of TMDB */
            keywordIds?: number[];
            /** @description Its original language is one of these (ISO 639-1) */
            languages?: string[];
            /** @description One of these users asked for it */
            userIds?: string[];
        };
        /** @description A new request. */
        CreatedRequest: {
            /** @description The requester's note to the admins */
            comment?: string;
            /** @description What became of it; absent unless it is approved */
            fulfilment?: components["schemas"]["Fulfilment"];
            /**
             * Format: uuid
             * @description Id of the request
             */
            id: string;
            /**
             * @description Film (`movie`) or show (`tv`)
             * @enum {string}
             */
            mediaType: "movie" | "tv";
            /** @description Path of the poster, relative to TMDB's image URL */
            posterPath?: string;
            /**
             * Format: date-time
             * @description Time of the decision
             */
            processedAt?: string;
            /**
             * Format: uuid
             * @description Id of the admin who decided; absent if no admin decided, or after the admin's deletion
             */
            processedBy?: string;
            /** @description The admin's reason for declining it */
            reason?: string;
            /**
             * Format: date-time
             * @description Time of the request
             */
            requestedAt: string;
            /** @description Numbers of the requested seasons; 0 is the specials */
            seasons?: number[];
            /** @description Seasons of the call that were already requested */
            skippedSeasons?: number[];
            /**
             * @description State of the request
             * @enum {string}
             */
            status: "pending" | "approved" | "declined";
            /** @description Title at TMDB at the time of the request */
            title: string;
            /** @description TMDB id of the title */
            tmdbId: number;
            /**
             * Format: uuid
             * @description Id of the user who made it
             */
            userId: string;
            /** @description Year of the first release */
            year?: number;
        };
        CreatedRequestResponse: {
            /** @description The result */
            data: components["schemas"]["CreatedRequest"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description A CSRF token. */
        Csrf: {
            /** @description Value for `X-CSRF-Token`, bound to this session */
            csrfToken: string;
        };
        /** @description The CSRF token is missing or does not belong to this session. */
        CSRF_TOKEN_MISMATCH: {
            error: {
                /** @enum {string} */
                code: "CSRF_TOKEN_MISMATCH";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        CsrfResponse: {
            /** @description The result */
            data: components["schemas"]["Csrf"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The session of a call; empty without a valid one. */
        CurrentSession: {
            /** @description Value for `X-CSRF-Token`; only for a cookie session */
            csrfToken?: string;
            /**
             * Format: date-time
             * @description Time when the token or cookie expires
             */
            expiresAt?: string;
            /** @description The signed-in user; absent without a valid session */
            user?: components["schemas"]["User"];
        };
        CurrentSessionResponse: {
            /** @description The result */
            data: components["schemas"]["CurrentSession"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The database cannot be reached. */
        DATABASE_CONNECTION_ERROR: {
            error: {
                /** @enum {string} */
                code: "DATABASE_CONNECTION_ERROR";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The database was asleep and is waking up. That takes about 15 seconds, or up to a minute. */
        DATABASE_WAKING_UP: {
            error: {
                /** @enum {string} */
                code: "DATABASE_WAKING_UP";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description A day and the number of its requests. */
        DayStats: {
            /**
             * Format: date
             * @description The day in UTC
             */
            day: string;
            /** @description Number of requests that were made on it */
            requests: number;
        };
        /** @description The result for one of many requests: its new state, or the error. */
        Decision: {
            error?: components["schemas"]["ApiError"];
            /**
             * Format: uuid
             * @description Id of the request
             */
            id: string;
            /**
             * @description New state of the request
             * @enum {string}
             */
            status?: "approved" | "declined";
        };
        DecisionList: {
            /** @description The result */
            data: components["schemas"]["Decision"][];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description One decision on many requests. */
        DecisionsIn: {
            /**
             * @description The decision on each of them
             * @enum {string}
             */
            decision: "approve" | "decline";
            /** @description Ids of the requests */
            ids: string[];
            /** @description Note for the audit log; only with `approve` */
            note?: string | null;
            /** @description Reason, which the requesters can read; required by `decline` */
            reason?: string | null;
        };
        /** @description The rejection of a request. */
        DeclineIn: {
            /** @description Reason, which the requester can read */
            reason: string;
        };
        /** @description Another admin has changed this in the meantime. */
        EDIT_CONFLICT: {
            error: {
                /** @enum {string} */
                code: "EDIT_CONFLICT";
                /** @description The present setting; absent for rules */
                details?: {
                    /** Format: date-time */
                    updatedAt?: string;
                    /** @description Name of the other admin */
                    updatedByName?: string;
                    /** @description Present value */
                    value: Record<string, never>;
                };
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description A call without fields; the body may be absent. */
        EmptyIn: Record<string, never>;
        /** @description You are not allowed to do this. */
        FORBIDDEN: {
            error: {
                /** @enum {string} */
                code: "FORBIDDEN";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The fulfilment of an approved request. */
        Fulfilment: {
            /** @description Why it failed or, for admins, why it waits */
            error?: components["schemas"]["FulfilmentError"];
            /** @description The state of each season of a show */
            seasons?: components["schemas"]["SeasonFulfilment"][];
            /**
             * Format: date-time
             * @description Time when the state began
             */
            since?: string;
            /**
             * @description The least advanced state of its items: an admin fetches it (`manual`), it waits for a download server (`queued`), the server has it (`submitted`), its files have arrived (`downloaded`), or it cannot be fetched (`failed`)
             * @enum {string}
             */
            state: "manual" | "queued" | "submitted" | "downloaded" | "failed";
        };
        /** @description The reason of a failure or of a delay. */
        FulfilmentError: {
            /**
             * @description Stable code of the reason
             * @example SEASON_UNKNOWN
             */
            code: string;
            /** @description Text for people */
            message: string;
            /**
             * Format: date-time
             * @description Time of the next attempt; absent if only an admin retries
             */
            retryAt?: string;
        };
        /** @description The service took too long to respond. */
        GATEWAY_TIMEOUT: {
            error: {
                /** @enum {string} */
                code: "GATEWAY_TIMEOUT";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /**
         * @description How a server takes a title; an option that is absent comes from the next source.
         *
         *     The sources are the approval, the rule, the server, and the defaults of the hand-over.
         */
        HandoverOptions: {
            /**
             * @description Radarr only: when a film counts as available
             * @enum {string}
             */
            minimumAvailability?: "announced" | "inCinemas" | "released";
            /**
             * @description Sonarr only: whether later seasons are fetched as well
             * @enum {string}
             */
            monitorNewItems?: "all" | "none";
            /** @description Id of the quality profile on the server */
            qualityProfileId?: number;
            /** @description Folder on the server where the title goes */
            rootFolderPath?: string;
            /** @description Whether the server searches for the title at once */
            search?: boolean;
            /** @description Sonarr only: whether each season has a folder */
            seasonFolder?: boolean;
            /**
             * @description Sonarr only: how the episodes are numbered
             * @enum {string}
             */
            seriesType?: "standard" | "daily" | "anime";
            /** @description Whether the title gets a tag with the requester's name */
            tagRequester?: boolean;
            /** @description Labels of tags; the server gets those that it lacks */
            tags?: string[];
        };
        /** @description The state of the service, which stays available (`degraded`) without the cache. */
        Health: {
            checks: components["schemas"]["Checks"];
            /**
             * @description Whether the service works fully (`healthy`) or without its cache (`degraded`)
             * @enum {string}
             */
            status: "healthy" | "degraded";
            /** @description Version of the service */
            version: string;
        };
        HealthResponse: {
            /** @description The result */
            data: components["schemas"]["Health"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The first call with this Idempotency-Key has not finished. */
        IDEMPOTENCY_IN_PROGRESS: {
            error: {
                /** @enum {string} */
                code: "IDEMPOTENCY_IN_PROGRESS";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description This Idempotency-Key was used with another payload. */
        IDEMPOTENCY_KEY_REUSED: {
            error: {
                /** @enum {string} */
                code: "IDEMPOTENCY_KEY_REUSED";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description Something went wrong on our side. */
        INTERNAL_ERROR: {
            error: {
                /** @enum {string} */
                code: "INTERNAL_ERROR";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The user name or password is wrong. */
        INVALID_CREDENTIALS: {
            error: {
                /** @enum {string} */
                code: "INVALID_CREDENTIALS";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The request is not in a state that allows this. */
        INVALID_STATE: {
            error: {
                /** @enum {string} */
                code: "INVALID_STATE";
                details?: {
                    /**
                     * Format: date-time
                     * @description For admins: time of the decision on the request
                     */
                    processedAt?: string;
                    /** @description For admins: name of the admin who decided */
                    processedByName?: string;
                    /**
                     * @description State of the request, or of the job
                     * @enum {string}
                     */
                    status: "pending" | "approved" | "declined" | "queued" | "leased" | "done" | "dead" | "cancelled";
                };
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The values that the options of a server can have; empty until the first reading. */
        Inventory: {
            /** @description Quality profiles */
            profiles: components["schemas"]["Profile"][];
            /**
             * Format: date-time
             * @description Time when they were read
             */
            readAt?: string;
            /** @description Folders for titles */
            rootFolders: components["schemas"]["RootFolder"][];
            /** @description Tags */
            tags: components["schemas"]["Tag"][];
        };
        InventoryResponse: {
            /** @description The result */
            data: components["schemas"]["Inventory"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description A job, with its last failure. */
        Job: {
            /** @description Whether a running job was wanted again, and runs once more */
            again: boolean;
            /** @description Number of runs that count */
            attempts: number;
            /**
             * Format: date-time
             * @description Time of the cause
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description After this time a failure is final
             */
            deadlineAt: string;
            /** @description The last failure */
            error?: components["schemas"]["JobFailure"];
            /**
             * Format: date-time
             * @description Time at which it was done, dead or cancelled
             */
            finishedAt?: string;
            /**
             * Format: uuid
             * @description Id of the job
             */
            id: string;
            /**
             * @description What the job does
             * @enum {string}
             */
            kind: "handover" | "check" | "inventory";
            /**
             * Format: date-time
             * @description Time at which a running job counts as lost
             */
            leaseUntil?: string;
            /** @description What the job is about, as ids */
            payload: {
                [key: string]: unknown;
            };
            /**
             * Format: date-time
             * @description Time of the next run of a queued job
             */
            runAt: string;
            /**
             * Format: uuid
             * @description Id of its server; absent before a server is chosen
             */
            serverId?: string;
            /**
             * @description `queued` and `leased` (running) end in `done`, `dead` or `cancelled`
             * @enum {string}
             */
            state: "queued" | "leased" | "done" | "dead" | "cancelled";
            /** @description Title of the film or show that the job is about */
            title?: string;
        };
        /** @description Why the last run of a job failed. */
        JobFailure: {
            /** @description `unreachable`, `unsure`, `misconfigured`, `notYet` or `never`: what follows */
            class: string;
            /** @description Code of the failure */
            code: string;
            /** @description A sentence to display, which may change */
            message: string;
        };
        JobPage: {
            /** @description The items of this page */
            data: components["schemas"]["Job"][];
            pagination: components["schemas"]["Pagination"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        JobResponse: {
            /** @description The result */
            data: components["schemas"]["Job"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The number of retried jobs. */
        JobsRetry: {
            /** @description Whether dead jobs are left, for another call */
            more: boolean;
            /** @description Number of jobs that are queued again, 500 at most */
            retried: number;
        };
        /** @description Which dead jobs to retry; without a filter all of them. */
        JobsRetryIn: {
            /**
             * @description Only this kind
             * @enum {string|null}
             */
            kind?: "handover" | "check" | "inventory" | null;
            /**
             * Format: uuid
             * @description Only jobs of this server
             */
            serverId?: string | null;
        };
        JobsRetryResponse: {
            /** @description The result */
            data: components["schemas"]["JobsRetry"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description Sign in to use this. */
        JWT_INVALID: {
            error: {
                /** @enum {string} */
                code: "JWT_INVALID";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description This would leave no active admin. */
        LAST_ADMIN: {
            error: {
                /** @enum {string} */
                code: "LAST_ADMIN";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description A sign-in to a local account. */
        LoginIn: {
            /** @description E-mail address or user name; case and surrounding spaces are ignored */
            identifier: string;
            /** @description Password of the account */
            password: string;
            /**
             * @description Return the token in the response (`bearer`) or set it as a cookie (`cookie`)
             * @default bearer
             * @enum {string}
             */
            session: "bearer" | "cookie";
        };
        /** @description A sign-out. */
        LogoutIn: {
            /**
             * @description Revoke all sessions of the user, not only this one
             * @default false
             */
            allSessions: boolean;
        };
        /** @description A request. */
        MediaRequest: {
            /** @description The requester's note to the admins */
            comment?: string;
            /** @description What became of it; absent unless it is approved */
            fulfilment?: components["schemas"]["Fulfilment"];
            /**
             * Format: uuid
             * @description Id of the request
             */
            id: string;
            /**
             * @description Film (`movie`) or show (`tv`)
             * @enum {string}
             */
            mediaType: "movie" | "tv";
            /** @description Path of the poster, relative to TMDB's image URL */
            posterPath?: string;
            /**
             * Format: date-time
             * @description Time of the decision
             */
            processedAt?: string;
            /**
             * Format: uuid
             * @description Id of the admin who decided; absent if no admin decided, or after the admin's deletion
             */
            processedBy?: string;
            /** @description The admin's reason for declining it */
            reason?: string;
            /**
             * Format: date-time
             * @description Time of the request
             */
            requestedAt: string;
            /** @description Numbers of the requested seasons; 0 is the specials */
            seasons?: number[];
            /**
             * @description State of the request
             * @enum {string}
             */
            status: "pending" | "approved" | "declined";
            /** @description Title at TMDB at the time of the request */
            title: string;
            /** @description TMDB id of the title */
            tmdbId: number;
            /**
             * Format: uuid
             * @description Id of the user who made it
             */
            userId: string;
            /** @description Year of the first release */
            year?: number;
        };
        MediaRequestPage: {
            /** @description The items of this page */
            data: components["schemas"]["MediaRequest"][];
            pagination: components["schemas"]["Pagination"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        MediaRequestResponse: {
            /** @description The result */
            data: components["schemas"]["MediaRequest"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The resource does not support this method. */
        METHOD_NOT_ALLOWED: {
            error: {
                /** @enum {string} */
                code: "METHOD_NOT_ALLOWED";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The resource does not exist. */
        NOT_FOUND: {
            error: {
                /** @enum {string} */
                code: "NOT_FOUND";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The position of a page in its list. */
        Pagination: {
            /** @description Whether a page follows this one */
            hasNext: boolean;
            /** @description Whether a page precedes this one */
            hasPrev: boolean;
            /** @description Maximum number of items on a page */
            limit: number;
            /** @description Number of this page, from 1 */
            page: number;
            /** @description Number of items on all pages together */
            total: number;
        };
        /** @description A change of the caller's password. */
        PasswordIn: {
            /** @description Current password */
            currentPassword?: string | null;
            /** @description At least 8 characters with a lower-case letter, an upper-case letter, a digit and another character; neither common nor similar to the user name or e-mail address */
            newPassword: string;
        };
        /** @description The request body is too large. */
        PAYLOAD_TOO_LARGE: {
            error: {
                /** @enum {string} */
                code: "PAYLOAD_TOO_LARGE";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description A started sign-in: open `authUrl`, approve it there, then verify with `pinId`. */
        Pin: {
            /** @description Sign-in page at Plex, to open in a browser */
            authUrl: string;
            /** @description Code for the sign-in page at Plex; `authUrl` contains it */
            code: string;
            /**
             * Format: date-time
             * @description Time when this sign-in expires
             */
            expiresAt: string;
            /** @description Handle of this sign-in, which works once; only the caller knows it */
            pinId: string;
        };
        /** @description This sign-in is unknown, used or expired. */
        PIN_EXPIRED: {
            error: {
                /** @enum {string} */
                code: "PIN_EXPIRED";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The sign-in has not been approved yet. */
        PIN_PENDING: {
            error: {
                /** @enum {string} */
                code: "PIN_PENDING";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        PinResponse: {
            /** @description The result */
            data: components["schemas"]["Pin"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description This Plex account cannot reach the server. */
        PLEX_ACCESS_DENIED: {
            error: {
                /** @enum {string} */
                code: "PLEX_ACCESS_DENIED";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description Plex cannot be reached. */
        PLEX_UNREACHABLE: {
            error: {
                /** @enum {string} */
                code: "PLEX_UNREACHABLE";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description A quality profile. */
        Profile: {
            /** @description Id on the server, for `qualityProfileId` */
            id: number;
            /** @description Name on the server */
            name: string;
        };
        /** @description A quota and its use. */
        Quota: {
            /** @description Number of days that the quota covers */
            days: number;
            /** @description Number of films or seasons that the quota allows */
            limit: number;
            /**
             * Format: date-time
             * @description Time when one more can be requested; absent if one can now, or if waiting does not help
             */
            resetsAt?: string;
            /** @description Number that currently counts against the quota; more than `limit` if the quota became smaller */
            used: number;
        };
        /** @description Your request quota does not allow this. */
        QUOTA_EXCEEDED: {
            error: {
                /** @enum {string} */
                code: "QUOTA_EXCEEDED";
                /** @description A quota that a request would exceed. */
                details?: {
                    /** @description Number of films or seasons that the quota allows */
                    limit: number;
                    /**
                     * @description The quota: films are counted by request, shows by season
                     * @enum {string}
                     */
                    quota: "movies" | "seasons";
                    /** @description Number that currently remains */
                    remaining: number;
                    /** @description Number that this call requests */
                    requested: number;
                    /**
                     * Format: date-time
                     * @description Time when this request would fit or, if it alone exceeds the limit, when the whole limit is free; absent if waiting does not help
                     */
                    resetsAt?: string;
                    /** @description Number that currently counts against the quota */
                    used: number;
                };
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description A number of films or seasons that may be requested within a number of days. */
        QuotaIn: {
            /** @description Number of days that the limit covers */
            days: number;
            /** @description Number of films or seasons; `null` for no limit */
            limit: number | null;
        };
        /** @description The caller's quotas; without one, the number is not limited. */
        Quotas: {
            autoApprove: components["schemas"]["AutoApprove"];
            /** @description Quota of films */
            movies?: components["schemas"]["Quota"];
            /** @description Quota of seasons of shows */
            seasons?: components["schemas"]["Quota"];
        };
        QuotasResponse: {
            /** @description The result */
            data: components["schemas"]["Quotas"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description Too many requests. Wait before you try again. */
        RATE_LIMITED: {
            error: {
                /** @enum {string} */
                code: "RATE_LIMITED";
                /** @description The exceeded rate limit; absent if API Gateway throttles */
                details?: {
                    /** @description Number of calls that the policy allows */
                    limit: number;
                    /** @description Name of the policy */
                    policy: string;
                    /** @description Seconds until a retry can succeed */
                    retryAfter: number;
                    /** @description Seconds that the limit covers */
                    window: number;
                };
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description A refresh of a session; it has no fields. */
        RefreshIn: Record<string, never>;
        /** @description The request that this Idempotency-Key created was cancelled. */
        REQUEST_CANCELLED: {
            error: {
                /** @enum {string} */
                code: "REQUEST_CANCELLED";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The numbers of requests, by state. */
        RequestCounts: {
            /** @description Number of requests */
            all: number;
            /** @description Number of approved requests */
            approved: number;
            /** @description Number of declined requests */
            declined: number;
            /** @description Number of pending requests */
            pending: number;
        };
        RequestCountsResponse: {
            /** @description The result */
            data: components["schemas"]["RequestCounts"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The seasons of a partly requested show, without specials. */
        RequestedSeasons: {
            /** @description Number of seasons with an active request */
            requested: number;
            /** @description Number of all seasons; absent if it was unknown at the time of the request */
            total?: number;
        };
        /** @description The user who made a request. */
        Requester: {
            /** @description E-mail address; a placeholder under `plex.invalid` if Plex has none */
            email: string;
            /**
             * Format: uuid
             * @description Id of the user
             */
            id: string;
            /** @description User name */
            username: string;
        };
        /** @description A user and the number of their requests. */
        RequesterStats: {
            /** @description Number of their requests in the last 30 days */
            requests: number;
            /**
             * Format: uuid
             * @description Id of the user
             */
            userId: string;
            /** @description User name */
            username: string;
        };
        /** @description A request for a film, or for seasons of a show. */
        RequestIn: {
            /** @description Note to the admins */
            comment?: string | null;
            /**
             * @description Film (`movie`) or show (`tv`)
             * @enum {string}
             */
            mediaType: "movie" | "tv";
            /** @description Numbers of seasons, 0 for the specials. Without it, the request has all seasons with an episode or an air date, except for the specials */
            seasons?: number[] | null;
            /** @description TMDB id of the title */
            tmdbId: number;
        };
        /** @description Numbers of requests, by state, kind and age; cancelled requests are deleted. */
        RequestStats: {
            /** @description Number of approved requests */
            approved: number;
            /** @description Number of declined requests */
            declined: number;
            /** @description Number of requests made in the last 7 days */
            last7Days: number;
            /** @description Number of requests made in the last 30 days */
            last30Days: number;
            /** @description Number of requests for films */
            movies: number;
            /**
             * Format: date-time
             * @description Time of the oldest pending request
             */
            oldestPendingAt?: string;
            /** @description Number of pending requests */
            pending: number;
            /** @description Number of requests for shows */
            shows: number;
            /** @description Number of requests */
            total: number;
        };
        /** @description Another attempt to hand a request over. */
        RetryIn: {
            /**
             * @description Whether the routing rules choose the server again
             * @default false
             */
            reroute: boolean;
        };
        /** @description A folder for titles. */
        RootFolder: {
            /** @description Whether the server can write there */
            accessible: boolean;
            /** @description Free bytes, if the server says so */
            freeBytes?: number;
            /** @description Path on the server, for `rootFolderPath` */
            path: string;
        };
        /** @description A routing rule. */
        Rule: {
            /** @description What must hold of a title */
            conditions: {
                [key: string]: unknown;
            };
            /**
             * Format: uuid
             * @description Id of the rule; a change of the list gives new ids
             */
            id: string;
            /**
             * @description `movie` or `tv`
             * @enum {string}
             */
            mediaType: "movie" | "tv";
            /** @description Options that replace those of the server */
            options: {
                [key: string]: unknown;
            };
            /**
             * Format: uuid
             * @description Server that gets the titles
             */
            serverId: string;
        };
        /** @description A rule: titles of which all conditions hold go to the server, with these options. */
        RuleIn: {
            /**
             * @description Without any, the rule is for every title of its type
             * @default {}
             */
            conditions: components["schemas"]["Conditions"];
            /**
             * @description `movie` for a Radarr, `tv` for a Sonarr
             * @enum {string}
             */
            mediaType: "movie" | "tv";
            /**
             * @description Options that replace those of the server
             * @default {}
             */
            options: components["schemas"]["HandoverOptions"];
            /**
             * Format: uuid
             * @description Server that gets the titles
             */
            serverId: string;
        };
        RuleList: {
            /** @description The result */
            data: components["schemas"]["Rule"][];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description All rules in their order. */
        RulesIn: {
            /** @description Ids of the rules in their order when they were read: others are not replaced */
            expected?: string[] | null;
            /** @description The first rule whose conditions all hold decides */
            rules: components["schemas"]["RuleIn"][];
        };
        /** @description A season of a show. */
        Season: {
            /**
             * Format: date
             * @description Day of its first broadcast
             */
            airDate?: string;
            /** @description Number of its episodes */
            episodeCount?: number;
            /** @description Name of the season */
            name?: string;
            /** @description Number of the season; 0 is the specials */
            number: number;
            request?: components["schemas"]["TitleRequest"];
        };
        /** @description The fulfilment of one season. */
        SeasonFulfilment: {
            /** @description Number of the season */
            season: number;
            /**
             * @description State of the season
             * @enum {string}
             */
            state: "manual" | "queued" | "submitted" | "downloaded" | "failed";
        };
        /** @description A server. Its API key and its headers cannot be read, only recognised. */
        Server: {
            /** @description Address of the server, without `/api` */
            baseUrl: string;
            /**
             * Format: date-time
             * @description Time of creation
             */
            createdAt: string;
            /** @description Whether titles may go here */
            enabled: boolean;
            /** @description The reason for `state` */
            error?: components["schemas"]["ServerError"];
            /** @description Whether an API key is stored */
            hasKey: boolean;
            /** @description Names of the extra headers of each call */
            headerNames: string[];
            /**
             * Format: uuid
             * @description Id of the server
             */
            id: string;
            /** @description Whether titles without a rule go here */
            isDefault: boolean;
            /** @description The last four characters of the API key */
            keyLast4?: string;
            /**
             * @description `radarr` takes films, `sonarr` shows
             * @enum {string}
             */
            kind: "radarr" | "sonarr";
            /** @description Unique name */
            name: string;
            /** @description Options of each hand-over */
            options: {
                [key: string]: unknown;
            };
            /**
             * Format: date-time
             * @description Time of the next call, while the server is unreachable
             */
            retryAt?: string;
            /**
             * @description `unknown` until the first call, `ok`, `unreachable` (it is tried again), or `misconfigured` (jobs wait for a change or a successful test)
             * @enum {string}
             */
            state: "unknown" | "ok" | "unreachable" | "misconfigured";
            /**
             * Format: date-time
             * @description Time of the last change of `state`
             */
            stateAt: string;
            /**
             * Format: date-time
             * @description Time of the last change, or successful test, by an admin
             */
            updatedAt: string;
            /** @description Version that the server reports */
            version?: string;
        };
        /** @description The server still fetches titles. */
        SERVER_IN_USE: {
            error: {
                /** @enum {string} */
                code: "SERVER_IN_USE";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description A change of a server; absent fields stay, except for the secret of another address. */
        ServerChangeIn: {
            /** @description New API key */
            apiKey?: string | null;
            /** @description Another address removes key and headers, unless `apiKey` comes with it */
            baseUrl?: string | null;
            /** @description Whether titles may go here */
            enabled?: boolean | null;
            /** @description New headers, which replace all of the present ones */
            headers?: {
                [key: string]: string;
            } | null;
            /** @description Whether titles without a rule go here */
            isDefault?: boolean | null;
            /** @description Unique name */
            name?: string | null;
            /** @description New options, which replace all of the present ones */
            options?: {
                /**
                 * @description Radarr only: when a film counts as available
                 * @enum {string|null}
                 */
                minimumAvailability?: "announced" | "inCinemas" | "released" | null;
                /**
                 * @description Sonarr only: whether later seasons are fetched as well
                 * @enum {string|null}
                 */
                monitorNewItems?: "all" | "none" | null;
                /** @description Id of the quality profile on the server */
                qualityProfileId?: number | null;
                /** @description Folder on the server where the title goes */
                rootFolderPath?: string | null;
                /** @description Whether the server searches for the title at once */
                search?: boolean | null;
                /** @description Sonarr only: whether each season has a folder */
                seasonFolder?: boolean | null;
                /**
                 * @description Sonarr only: how the episodes are numbered
                 * @enum {string|null}
                 */
                seriesType?: "standard" | "daily" | "anime" | null;
                /** @description Whether the title gets a tag with the requester's name */
                tagRequester?: boolean | null;
                /** @description Labels of tags; the server gets those that it lacks */
                tags?: string[] | null;
            } | null;
        };
        /** @description The failure that put a server in its state. */
        ServerError: {
            /** @description Code of the failure */
            code: string;
            /** @description The failure in a sentence */
            message: string;
        };
        /** @description A new server. */
        ServerIn: {
            /** @description API key of the server; no response shows it */
            apiKey: string;
            /** @description Address of the server, with its path but without `/api`: HTTPS, a public address, port 443 or from 1024 */
            baseUrl: string;
            /**
             * @description Whether titles may go here
             * @default true
             */
            enabled: boolean;
            /** @description Extra headers of each call, such as those of Cloudflare Access; no response shows their values */
            headers?: {
                [key: string]: string;
            };
            /**
             * @description Whether titles without a rule go here; the previous default of the kind ends
             * @default false
             */
            isDefault: boolean;
            /**
             * @description `radarr` takes films, `sonarr` shows
             * @enum {string}
             */
            kind: "radarr" | "sonarr";
            /** @description Unique name */
            name: string;
            /**
             * @description Options of each hand-over
             * @default {}
             */
            options: components["schemas"]["HandoverOptions"];
        };
        ServerList: {
            /** @description The result */
            data: components["schemas"]["Server"][];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description A download server. */
        ServerName: {
            /**
             * Format: uuid
             * @description Id of the server
             */
            id: string;
            /** @description Name of the server */
            name: string;
        };
        ServerResponse: {
            /** @description The result */
            data: components["schemas"]["Server"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description A session of the caller. */
        Session: {
            /**
             * Format: date-time
             * @description Time of the sign-in
             */
            createdAt: string;
            /** @description Whether this call uses the session */
            current: boolean;
            /**
             * Format: date-time
             * @description Time when its token expires
             */
            expiresAt: string;
            /**
             * Format: uuid
             * @description Id of the session
             */
            id: string;
            /** @description IP address of the client; `0.0.0.0` in a test call of API Gateway's console */
            ip: string;
            /**
             * Format: date-time
             * @description Time of its last use, accurate to five minutes
             */
            lastSeenAt: string;
            /** @description `User-Agent` header of the client */
            userAgent: string;
        };
        SessionList: {
            /** @description The result */
            data: components["schemas"]["Session"][];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description Numbers of sessions. */
        SessionStats: {
            /** @description Number of active sessions: neither expired nor revoked */
            active: number;
        };
        /** @description A setting. */
        Setting: {
            /** @description Value that applies until an admin changes it */
            default: {
                [key: string]: unknown;
            };
            /** @description The fields of the value, with their bounds */
            fields: components["schemas"]["SettingField"][];
            /** @description Name of the setting */
            key: string;
            /**
             * Format: date-time
             * @description Time of the last change; absent while the default applies
             */
            updatedAt?: string;
            /**
             * Format: uuid
             * @description Id of the admin who made the last change
             */
            updatedBy?: string;
            /** @description Name of the admin who made the last change */
            updatedByName?: string;
            /** @description Current value; its fields depend on the key */
            value: {
                [key: string]: unknown;
            };
        };
        /** @description A field of a setting's value. */
        SettingField: {
            /** @description Greatest number, or greatest length */
            maximum?: number;
            /** @description Least number, or least length */
            minimum?: number;
            /** @description Name of the field, with a dot before that of a nested one */
            name: string;
            /** @description Whether `null` is allowed */
            nullable: boolean;
            /**
             * @description Type of its value
             * @enum {string}
             */
            type: "boolean" | "integer" | "string";
        };
        /** @description A new value of a setting. */
        SettingIn: {
            /** @description Value that the setting had when it was read: another one is not overwritten */
            expected?: {
                [key: string]: unknown;
            } | null;
            /** @description New value; its fields depend on the key */
            value: {
                [key: string]: unknown;
            };
        };
        SettingList: {
            /** @description The result */
            data: components["schemas"]["Setting"][];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        SettingResponse: {
            /** @description The result */
            data: components["schemas"]["Setting"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The user and the new session. */
        SignedIn: {
            /** @description Value for `X-CSRF-Token`; only for a cookie session */
            csrfToken?: string;
            /**
             * Format: date-time
             * @description Time when the token or cookie expires
             */
            expiresAt: string;
            /** @description Value for `Authorization: Bearer`; absent for a cookie session */
            token?: string;
            user: components["schemas"]["User"];
        };
        SignedInResponse: {
            /** @description The result */
            data: components["schemas"]["SignedIn"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The content of the sign-in page. */
        SignInOptions: {
            /** @description IP address of the caller, as limits and the audit log have it; absent if unknown */
            address?: string;
            /** @description Languages of the page */
            languages: string[];
            /** @description Whether the page offers to sign in to a local account */
            local: boolean;
            /** @description Name of the community (setting `signIn.page`) */
            name: string;
            /** @description Whether the page offers to sign in with Plex */
            plex: boolean;
            /** @description Whether a cookie session requires HTTPS */
            secureCookie: boolean;
        };
        SignInOptionsResponse: {
            /** @description The result */
            data: components["schemas"]["SignInOptions"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /**
         * @description Quotas of one user, which override those of the role.
         *
         *     An absent quota is unchanged, and `null` removes it.
         */
        SomeQuotasIn: {
            /** @description Quota of films */
            movies?: {
                /** @description Number of days that the limit covers */
                days: number;
                /** @description Number of films or seasons; `null` for no limit */
                limit: number | null;
            } | null;
            /** @description Quota of seasons */
            seasons?: {
                /** @description Number of days that the limit covers */
                days: number;
                /** @description Number of films or seasons; `null` for no limit */
                limit: number | null;
            } | null;
        };
        /** @description Statistics for a dashboard. */
        Stats: {
            /**
             * Format: date-time
             * @description Time of the count
             */
            generatedAt: string;
            requests: components["schemas"]["RequestStats"];
            /** @description The last 30 days, today included, the oldest first */
            requestsByDay: components["schemas"]["DayStats"][];
            sessions: components["schemas"]["SessionStats"];
            /** @description Users with the most requests in the last 30 days, at most five */
            topRequesters: components["schemas"]["RequesterStats"][];
            users: components["schemas"]["UserStats"];
        };
        StatsResponse: {
            /** @description The result */
            data: components["schemas"]["Stats"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description A tag. */
        Tag: {
            /** @description Id on the server */
            id: number;
            /** @description Label, for `tags` */
            label: string;
        };
        /** @description The result of a test: how long the server took, or why it failed. */
        Test: {
            /** @description The first failure */
            error?: components["schemas"]["ServerError"];
            /** @description Milliseconds of the whole test */
            latencyMs?: number;
            /** @description Whether the server answered as its kind does */
            ok: boolean;
            /** @description Version that the server reports */
            version?: string;
        };
        TestResponse: {
            /** @description The result */
            data: components["schemas"]["Test"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description A film or show in a search result or a list. */
        Title: {
            /**
             * @description Film (`movie`) or show (`tv`)
             * @enum {string}
             */
            mediaType: "movie" | "tv";
            /** @description Summary of the plot */
            overview?: string;
            /** @description Path of the poster, relative to TMDB's image URL */
            posterPath?: string;
            request?: components["schemas"]["TitleRequest"];
            /** @description Title at TMDB */
            title: string;
            /** @description TMDB id of the title */
            tmdbId: number;
            /** @description Year of the first release */
            year?: number;
        };
        /** @description Another server already has this title. */
        TITLE_ON_OTHER_SERVER: {
            error: {
                /** @enum {string} */
                code: "TITLE_ON_OTHER_SERVER";
                details?: {
                    /**
                     * Format: uuid
                     * @description The server that has the title
                     */
                    serverId?: string;
                };
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The details of a film or show. */
        TitleDetails: {
            /** @description Path of a background image, relative to TMDB's image URL */
            backdropPath?: string;
            /** @description Names of the genres */
            genres?: string[];
            /**
             * @description Film (`movie`) or show (`tv`)
             * @enum {string}
             */
            mediaType: "movie" | "tv";
            /** @description Summary of the plot */
            overview?: string;
            /** @description Path of the poster, relative to TMDB's image URL */
            posterPath?: string;
            request?: components["schemas"]["TitleRequest"];
            /** @description Length of a film in minutes */
            runtime?: number;
            /** @description Seasons of a show, each with its request */
            seasons?: components["schemas"]["Season"][];
            /** @description Title at TMDB */
            title: string;
            /** @description TMDB id of the title */
            tmdbId: number;
            /** @description Year of the first release */
            year?: number;
        };
        TitleDetailsResponse: {
            /** @description The result */
            data: components["schemas"]["TitleDetails"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        TitlePage: {
            /** @description The items of this page */
            data: components["schemas"]["Title"][];
            pagination: components["schemas"]["Pagination"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description The active request for a title or season. */
        TitleRequest: {
            /**
             * Format: uuid
             * @description Id of the request; only if it is the caller's own
             */
            id?: string;
            /** @description Only of a show: absent if all its seasons with an episode or an air date are requested */
            seasons?: components["schemas"]["RequestedSeasons"];
            /**
             * @description State of the request
             * @enum {string}
             */
            status: "pending" | "approved" | "declined";
        };
        /** @description Send the body as application/json. */
        UNSUPPORTED_MEDIA_TYPE: {
            error: {
                /** @enum {string} */
                code: "UNSUPPORTED_MEDIA_TYPE";
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description A user, without secrets. */
        User: {
            /**
             * Format: date-time
             * @description Time when the account was created
             */
            createdAt: string;
            /** @description E-mail address; a placeholder under `plex.invalid` if Plex has none */
            email: string;
            /**
             * Format: uuid
             * @description Id of the user
             */
            id: string;
            /** @description Id of the account at Plex, as a string; absent for a local account */
            plexId?: string;
            /**
             * @description Role of the user
             * @enum {string}
             */
            role: "admin" | "user";
            /**
             * Format: date-time
             * @description Time of its last change
             */
            updatedAt: string;
            /** @description User name */
            username: string;
        };
        /** @description Changes to a user. */
        UserChangeIn: {
            /** @description Quotas of this user; `null` restores the quotas of the role */
            quota?: {
                /** @description Quota of films */
                movies?: {
                    /** @description Number of days that the limit covers */
                    days: number;
                    /** @description Number of films or seasons; `null` for no limit */
                    limit: number | null;
                } | null;
                /** @description Quota of seasons */
                seasons?: {
                    /** @description Number of days that the limit covers */
                    days: number;
                    /** @description Number of films or seasons; `null` for no limit */
                    limit: number | null;
                } | null;
            } | null;
            /**
             * @description New role; a different one revokes the user's sessions
             * @enum {string}
             */
            role?: "admin" | "user";
            /**
             * @description New status; a suspension revokes the user's sessions
             * @enum {string}
             */
            status?: "active" | "suspended";
        };
        /** @description A local account to create. */
        UserIn: {
            /** @description E-mail address, which can be used to sign in */
            email: string;
            /** @description At least 8 characters with a lower-case letter, an upper-case letter, a digit and another character; neither common nor similar to the user name or e-mail address */
            password: string;
            /**
             * @description Role of the user
             * @enum {string}
             */
            role: "admin" | "user";
            /** @description User name, which can be used to sign in */
            username: string;
        };
        UserPage: {
            /** @description The items of this page */
            data: components["schemas"]["User"][];
            pagination: components["schemas"]["Pagination"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        UserResponse: {
            /** @description The result */
            data: components["schemas"]["User"];
            /**
             * @description Always true for a success
             * @enum {boolean}
             */
            success: true;
        };
        /** @description Numbers of users. */
        UserStats: {
            /** @description Number of active users */
            active: number;
            /** @description Number of admins, active or suspended */
            admins: number;
            /** @description Number of suspended users */
            suspended: number;
            /** @description Number of users */
            total: number;
        };
        /** @description The request is not valid. */
        VALIDATION_ERROR: {
            error: {
                /** @enum {string} */
                code: "VALIDATION_ERROR";
                /** @description The problems, at most 20 */
                details?: {
                    /** @description A dotted path, such as body.tmdbId or query.page */
                    field: string;
                    /** @description A sentence for users, which may change */
                    message: string;
                }[];
                /** @description A sentence for users, which may change */
                message: string;
            };
            /** @enum {boolean} */
            success: false;
        };
        /** @description The completion of a sign-in with Plex. */
        VerifyIn: {
            /** @description Handle that the start of the sign-in returned */
            pinId: string;
            /**
             * @description Return the token in the response (`bearer`) or set it as a cookie (`cookie`)
             * @default bearer
             * @enum {string}
             */
            session: "bearer" | "cookie";
        };
        /** @description The withdrawal of an approval. */
        WithdrawIn: {
            /** @description Reason, which the requester can read */
            reason: string;
        };
    };
    responses: {
        /**
         * @description - `ALREADY_REQUESTED`: This title has already been requested. No action is needed: the decision on the existing request applies to all users.
         *     - `REQUEST_CANCELLED`: The request that this Idempotency-Key created was cancelled. No action is needed; to request the title again, use a new key.
         *     - `IDEMPOTENCY_IN_PROGRESS`: The first call with this Idempotency-Key has not finished. Retry the same call after a second.
         */
        "ALREADY_REQUESTED.REQUEST_CANCELLED.IDEMPOTENCY_IN_PROGRESS.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ALREADY_REQUESTED"] | components["schemas"]["REQUEST_CANCELLED"] | components["schemas"]["IDEMPOTENCY_IN_PROGRESS"];
            };
        };
        /**
         * @description - `CSRF_TOKEN_MISMATCH`: The CSRF token is missing or does not belong to this session. Fetch a token from `GET /api/auth/csrf` and send it in `X-CSRF-Token`.
         *     - `FORBIDDEN`: You are not allowed to do this. Ask an admin: your role does not permit this.
         */
        "CSRF_TOKEN_MISMATCH.FORBIDDEN.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["CSRF_TOKEN_MISMATCH"] | components["schemas"]["FORBIDDEN"];
            };
        };
        /** @description `CSRF_TOKEN_MISMATCH`: The CSRF token is missing or does not belong to this session. Fetch a token from `GET /api/auth/csrf` and send it in `X-CSRF-Token`. */
        "CSRF_TOKEN_MISMATCH.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["CSRF_TOKEN_MISMATCH"];
            };
        };
        /**
         * @description - `CSRF_TOKEN_MISMATCH`: The CSRF token is missing or does not belong to this session. Fetch a token from `GET /api/auth/csrf` and send it in `X-CSRF-Token`.
         *     - `QUOTA_EXCEEDED`: Your request quota does not allow this. Request at most `details.remaining` now, wait until `details.resetsAt`, or ask an admin.
         */
        "CSRF_TOKEN_MISMATCH.QUOTA_EXCEEDED.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["CSRF_TOKEN_MISMATCH"] | components["schemas"]["QUOTA_EXCEEDED"];
            };
        };
        /**
         * @description - `DATABASE_CONNECTION_ERROR`: The database cannot be reached. Retry after the number of seconds in `Retry-After`; if the error persists, check the database.
         *     - `INTERNAL_ERROR`: Something went wrong on our side. Retry; if the error persists, report the `X-Request-Id` of the response.
         */
        "DATABASE_CONNECTION_ERROR.INTERNAL_ERROR": {
            headers: {
                "Retry-After": components["headers"]["Retry-After"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["DATABASE_CONNECTION_ERROR"] | components["schemas"]["INTERNAL_ERROR"];
            };
        };
        /**
         * @description - `DATABASE_CONNECTION_ERROR`: The database cannot be reached. Retry after the number of seconds in `Retry-After`; if the error persists, check the database.
         *     - `INTERNAL_ERROR`: Something went wrong on our side. Retry; if the error persists, report the `X-Request-Id` of the response.
         */
        "DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["DATABASE_CONNECTION_ERROR"] | components["schemas"]["INTERNAL_ERROR"];
            };
        };
        /** @description `DATABASE_WAKING_UP`: The database was asleep and is waking up. That takes about 15 seconds, or up to a minute. Retry after the number of seconds in `Retry-After`; after a day of sleep it may take a minute. */
        DATABASE_WAKING_UP: {
            headers: {
                "Retry-After": components["headers"]["Retry-After"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["DATABASE_WAKING_UP"];
            };
        };
        /**
         * @description - `DATABASE_WAKING_UP`: The database was asleep and is waking up. That takes about 15 seconds, or up to a minute. Retry after the number of seconds in `Retry-After`; after a day of sleep it may take a minute.
         *     - `CATALOG_UNAVAILABLE`: The film and show catalogue cannot be reached. Retry after the number of seconds in `Retry-After`.
         */
        "DATABASE_WAKING_UP.CATALOG_UNAVAILABLE.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["DATABASE_WAKING_UP"] | components["schemas"]["CATALOG_UNAVAILABLE"];
            };
        };
        /** @description `DATABASE_WAKING_UP`: The database was asleep and is waking up. That takes about 15 seconds, or up to a minute. Retry after the number of seconds in `Retry-After`; after a day of sleep it may take a minute. */
        "DATABASE_WAKING_UP.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["DATABASE_WAKING_UP"];
            };
        };
        /**
         * @description - `DATABASE_WAKING_UP`: The database was asleep and is waking up. That takes about 15 seconds, or up to a minute. Retry after the number of seconds in `Retry-After`; after a day of sleep it may take a minute.
         *     - `PLEX_UNREACHABLE`: Plex cannot be reached. Retry after the number of seconds in `Retry-After`; if the error persists, check whether plex.tv is up.
         */
        "DATABASE_WAKING_UP.PLEX_UNREACHABLE.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["DATABASE_WAKING_UP"] | components["schemas"]["PLEX_UNREACHABLE"];
            };
        };
        /** @description `EDIT_CONFLICT`: Another admin has changed this in the meantime. Read it again, compare it with your change, and send the change with the new `expected`. */
        "EDIT_CONFLICT.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["EDIT_CONFLICT"];
            };
        };
        /**
         * @description - `FORBIDDEN`: You are not allowed to do this. Ask an admin: your role does not permit this.
         *     - `ACCOUNT_SUSPENDED`: This account is suspended. Ask an admin to end the suspension.
         */
        "FORBIDDEN.ACCOUNT_SUSPENDED.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["FORBIDDEN"] | components["schemas"]["ACCOUNT_SUSPENDED"];
            };
        };
        /** @description `FORBIDDEN`: You are not allowed to do this. Ask an admin: your role does not permit this. */
        "FORBIDDEN.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["FORBIDDEN"];
            };
        };
        /**
         * @description - `FORBIDDEN`: You are not allowed to do this. Ask an admin: your role does not permit this.
         *     - `PLEX_ACCESS_DENIED`: This Plex account cannot reach the server. Ask the owner of the Plex server to share it with this account.
         *     - `ACCOUNT_SUSPENDED`: This account is suspended. Ask an admin to end the suspension.
         */
        "FORBIDDEN.PLEX_ACCESS_DENIED.ACCOUNT_SUSPENDED.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["FORBIDDEN"] | components["schemas"]["PLEX_ACCESS_DENIED"] | components["schemas"]["ACCOUNT_SUSPENDED"];
            };
        };
        /** @description `GATEWAY_TIMEOUT`: The service took too long to respond. Retry. */
        GATEWAY_TIMEOUT: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["GATEWAY_TIMEOUT"];
            };
        };
        /** @description `IDEMPOTENCY_KEY_REUSED`: This Idempotency-Key was used with another payload. Use a new key for a new request. */
        "IDEMPOTENCY_KEY_REUSED.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["IDEMPOTENCY_KEY_REUSED"];
            };
        };
        /** @description `INVALID_CREDENTIALS`: The user name or password is wrong. Check both; an account that does not exist gets the same error. */
        "INVALID_CREDENTIALS.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["INVALID_CREDENTIALS"];
            };
        };
        /** @description `INVALID_STATE`: The request is not in a state that allows this. Check its `status` in `details`: only a pending request can be changed. `details` name the admin who decided. */
        "INVALID_STATE.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["INVALID_STATE"];
            };
        };
        /**
         * @description - `INVALID_STATE`: The request is not in a state that allows this. Check its `status` in `details`: only a pending request can be changed. `details` name the admin who decided.
         *     - `TITLE_ON_OTHER_SERVER`: Another server already has this title. Choose the server in `details`, or none: the title then goes to the server that has it.
         */
        "INVALID_STATE.TITLE_ON_OTHER_SERVER.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["INVALID_STATE"] | components["schemas"]["TITLE_ON_OTHER_SERVER"];
            };
        };
        /**
         * @description - `JWT_INVALID`: Sign in to use this. Sign in again: the token is missing, malformed, expired or revoked.
         *     - `INVALID_CREDENTIALS`: The user name or password is wrong. Check both; an account that does not exist gets the same error.
         */
        "JWT_INVALID.INVALID_CREDENTIALS.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["JWT_INVALID"] | components["schemas"]["INVALID_CREDENTIALS"];
            };
        };
        /** @description `JWT_INVALID`: Sign in to use this. Sign in again: the token is missing, malformed, expired or revoked. */
        "JWT_INVALID.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["JWT_INVALID"];
            };
        };
        /** @description `LAST_ADMIN`: This would leave no active admin. Make another user an admin first. */
        "LAST_ADMIN.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["LAST_ADMIN"];
            };
        };
        /** @description `METHOD_NOT_ALLOWED`: The resource does not support this method. Use a method that `Allow` lists. */
        METHOD_NOT_ALLOWED: {
            headers: {
                Allow: components["headers"]["Allow"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["METHOD_NOT_ALLOWED"];
            };
        };
        /** @description `NOT_FOUND`: The resource does not exist. Check the path and the id; a resource of another user is also reported as not found. */
        "NOT_FOUND.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["NOT_FOUND"];
            };
        };
        /** @description `PAYLOAD_TOO_LARGE`: The request body is too large. Send at most 64 KiB. */
        PAYLOAD_TOO_LARGE: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["PAYLOAD_TOO_LARGE"];
            };
        };
        /** @description `PIN_EXPIRED`: This sign-in is unknown, used or expired. Start again with `POST /api/auth/plex/pin`. */
        "PIN_EXPIRED.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["PIN_EXPIRED"];
            };
        };
        /** @description `PIN_PENDING`: The sign-in has not been approved yet. Open `authUrl`, approve the sign-in there, then retry after a second or two. */
        "PIN_PENDING.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["PIN_PENDING"];
            };
        };
        /** @description `RATE_LIMITED`: Too many requests. Wait before you try again. Retry after the number of seconds in `Retry-After`. */
        RATE_LIMITED: {
            headers: {
                "Retry-After": components["headers"]["Retry-After"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["RATE_LIMITED"];
            };
        };
        /** @description `RATE_LIMITED`: Too many requests. Wait before you try again. Retry after the number of seconds in `Retry-After`. */
        "RATE_LIMITED.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["RATE_LIMITED"];
            };
        };
        /** @description `SERVER_IN_USE`: The server still fetches titles. Wait until they are there, or disable the server: it then gets no new titles. */
        "SERVER_IN_USE.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["SERVER_IN_USE"];
            };
        };
        /** @description `UNSUPPORTED_MEDIA_TYPE`: Send the body as application/json. Send JSON with `Content-Type: application/json` and no charset other than UTF-8. */
        "UNSUPPORTED_MEDIA_TYPE.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["UNSUPPORTED_MEDIA_TYPE"];
            };
        };
        /** @description `VALIDATION_ERROR`: The request is not valid. Correct the fields that `details` lists, then retry. */
        VALIDATION_ERROR: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["VALIDATION_ERROR"];
            };
        };
        /** @description `VALIDATION_ERROR`: The request is not valid. Correct the fields that `details` lists, then retry. */
        "VALIDATION_ERROR.limited": {
            headers: {
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["VALIDATION_ERROR"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /**
         * @description The methods of this path
         * @example GET, OPTIONS
         */
        Allow: string;
        /**
         * @description Identifies this content, for `If-None-Match`
         * @example "5d41402abc4b2a76"
         */
        ETag: string;
        /**
         * @description Remaining calls of each policy, and the seconds until more are available
         * @example "search";r=29;t=60
         */
        RateLimit: string;
        /**
         * @description Policies of the call, each with its limit and its window in seconds
         * @example "search";q=30;w=60
         */
        "RateLimit-Policy": string;
        /**
         * @description Seconds until a retry can succeed
         * @example 12
         */
        "Retry-After": number;
        /**
         * @description The session cookie __Host-medianest_session; only for a cookie session
         * @example __Host-medianest_session=…; HttpOnly; Path=/; SameSite=lax; Secure
         */
        "Set-Cookie": string;
        /**
         * @description The scheme of the expected credential
         * @example Bearer
         */
        "WWW-Authenticate": string;
        /**
         * @description Age in seconds of a stale response, served while TMDB is unreachable
         * @example 7200
         */
        "X-Catalog-Stale": number;
        /**
         * @description Limit of the policy with the fewest remaining calls
         * @example 30
         */
        "X-RateLimit-Limit": number;
        /**
         * @description Remaining calls of that policy
         * @example 29
         */
        "X-RateLimit-Remaining": number;
        /**
         * @description Time when one more call is available, in Unix seconds
         * @example 1767225600
         */
        "X-RateLimit-Reset": number;
        /**
         * @description Identifies the log lines of the call
         * @example c0ffee00-7a52-4d0e-9a56-2d1f2b7c9e11
         */
        "X-Request-Id": string;
    };
    pathItems: never;
}
export type AccountSuspended = components['schemas']['ACCOUNT_SUSPENDED'];
export type AdminFulfilment = components['schemas']['AdminFulfilment'];
export type AdminRequest = components['schemas']['AdminRequest'];
export type AdminRequestPage = components['schemas']['AdminRequestPage'];
export type AdminUser = components['schemas']['AdminUser'];
export type AdminUserResponse = components['schemas']['AdminUserResponse'];
export type Adopted = components['schemas']['Adopted'];
export type AdoptedResponse = components['schemas']['AdoptedResponse'];
export type AdoptIn = components['schemas']['AdoptIn'];
export type AlreadyRequested = components['schemas']['ALREADY_REQUESTED'];
export type ApiError = components['schemas']['ApiError'];
export type ApproveIn = components['schemas']['ApproveIn'];
export type AuditLog = components['schemas']['AuditLog'];
export type AuditLogPage = components['schemas']['AuditLogPage'];
export type AutoApprove = components['schemas']['AutoApprove'];
export type CatalogUnavailable = components['schemas']['CATALOG_UNAVAILABLE'];
export type Check = components['schemas']['Check'];
export type Checks = components['schemas']['Checks'];
export type Conditions = components['schemas']['Conditions'];
export type CreatedRequest = components['schemas']['CreatedRequest'];
export type CreatedRequestResponse = components['schemas']['CreatedRequestResponse'];
export type Csrf = components['schemas']['Csrf'];
export type CsrfTokenMismatch = components['schemas']['CSRF_TOKEN_MISMATCH'];
export type CsrfResponse = components['schemas']['CsrfResponse'];
export type CurrentSession = components['schemas']['CurrentSession'];
export type CurrentSessionResponse = components['schemas']['CurrentSessionResponse'];
export type DatabaseConnectionError = components['schemas']['DATABASE_CONNECTION_ERROR'];
export type DatabaseWakingUp = components['schemas']['DATABASE_WAKING_UP'];
export type DayStats = components['schemas']['DayStats'];
export type Decision = components['schemas']['Decision'];
export type DecisionList = components['schemas']['DecisionList'];
export type DecisionsIn = components['schemas']['DecisionsIn'];
export type DeclineIn = components['schemas']['DeclineIn'];
export type EditConflict = components['schemas']['EDIT_CONFLICT'];
export type EmptyIn = components['schemas']['EmptyIn'];
export type Forbidden = components['schemas']['FORBIDDEN'];
export type Fulfilment = components['schemas']['Fulfilment'];
export type FulfilmentError = components['schemas']['FulfilmentError'];
export type GatewayTimeout = components['schemas']['GATEWAY_TIMEOUT'];
export type HandoverOptions = components['schemas']['HandoverOptions'];
export type Health = components['schemas']['Health'];
export type HealthResponse = components['schemas']['HealthResponse'];
export type IdempotencyInProgress = components['schemas']['IDEMPOTENCY_IN_PROGRESS'];
export type IdempotencyKeyReused = components['schemas']['IDEMPOTENCY_KEY_REUSED'];
export type InternalError = components['schemas']['INTERNAL_ERROR'];
export type InvalidCredentials = components['schemas']['INVALID_CREDENTIALS'];
export type InvalidState = components['schemas']['INVALID_STATE'];
export type Inventory = components['schemas']['Inventory'];
export type InventoryResponse = components['schemas']['InventoryResponse'];
export type Job = components['schemas']['Job'];
export type JobFailure = components['schemas']['JobFailure'];
export type JobPage = components['schemas']['JobPage'];
export type JobResponse = components['schemas']['JobResponse'];
export type JobsRetry = components['schemas']['JobsRetry'];
export type JobsRetryIn = components['schemas']['JobsRetryIn'];
export type JobsRetryResponse = components['schemas']['JobsRetryResponse'];
export type JwtInvalid = components['schemas']['JWT_INVALID'];
export type LastAdmin = components['schemas']['LAST_ADMIN'];
export type LoginIn = components['schemas']['LoginIn'];
export type LogoutIn = components['schemas']['LogoutIn'];
export type MediaRequest = components['schemas']['MediaRequest'];
export type MediaRequestPage = components['schemas']['MediaRequestPage'];
export type MediaRequestResponse = components['schemas']['MediaRequestResponse'];
export type MethodNotAllowed = components['schemas']['METHOD_NOT_ALLOWED'];
export type NotFound = components['schemas']['NOT_FOUND'];
export type Pagination = components['schemas']['Pagination'];
export type PasswordIn = components['schemas']['PasswordIn'];
export type PayloadTooLarge = components['schemas']['PAYLOAD_TOO_LARGE'];
export type Pin = components['schemas']['Pin'];
export type PinExpired = components['schemas']['PIN_EXPIRED'];
export type PinPending = components['schemas']['PIN_PENDING'];
export type PinResponse = components['schemas']['PinResponse'];
export type PlexAccessDenied = components['schemas']['PLEX_ACCESS_DENIED'];
export type PlexUnreachable = components['schemas']['PLEX_UNREACHABLE'];
export type Profile = components['schemas']['Profile'];
export type Quota = components['schemas']['Quota'];
export type QuotaExceeded = components['schemas']['QUOTA_EXCEEDED'];
export type QuotaIn = components['schemas']['QuotaIn'];
export type Quotas = components['schemas']['Quotas'];
export type QuotasResponse = components['schemas']['QuotasResponse'];
export type RateLimited = components['schemas']['RATE_LIMITED'];
export type RefreshIn = components['schemas']['RefreshIn'];
export type RequestCancelled = components['schemas']['REQUEST_CANCELLED'];
export type RequestCounts = components['schemas']['RequestCounts'];
export type RequestCountsResponse = components['schemas']['RequestCountsResponse'];
export type RequestedSeasons = components['schemas']['RequestedSeasons'];
export type Requester = components['schemas']['Requester'];
export type RequesterStats = components['schemas']['RequesterStats'];
export type RequestIn = components['schemas']['RequestIn'];
export type RequestStats = components['schemas']['RequestStats'];
export type RetryIn = components['schemas']['RetryIn'];
export type RootFolder = components['schemas']['RootFolder'];
export type Rule = components['schemas']['Rule'];
export type RuleIn = components['schemas']['RuleIn'];
export type RuleList = components['schemas']['RuleList'];
export type RulesIn = components['schemas']['RulesIn'];
export type Season = components['schemas']['Season'];
export type SeasonFulfilment = components['schemas']['SeasonFulfilment'];
export type Server = components['schemas']['Server'];
export type ServerInUse = components['schemas']['SERVER_IN_USE'];
export type ServerChangeIn = components['schemas']['ServerChangeIn'];
export type ServerError = components['schemas']['ServerError'];
export type ServerIn = components['schemas']['ServerIn'];
export type ServerList = components['schemas']['ServerList'];
export type ServerName = components['schemas']['ServerName'];
export type ServerResponse = components['schemas']['ServerResponse'];
export type Session = components['schemas']['Session'];
export type SessionList = components['schemas']['SessionList'];
export type SessionStats = components['schemas']['SessionStats'];
export type Setting = components['schemas']['Setting'];
export type SettingField = components['schemas']['SettingField'];
export type SettingIn = components['schemas']['SettingIn'];
export type SettingList = components['schemas']['SettingList'];
export type SettingResponse = components['schemas']['SettingResponse'];
export type SignedIn = components['schemas']['SignedIn'];
export type SignedInResponse = components['schemas']['SignedInResponse'];
export type SignInOptions = components['schemas']['SignInOptions'];
export type SignInOptionsResponse = components['schemas']['SignInOptionsResponse'];
export type SomeQuotasIn = components['schemas']['SomeQuotasIn'];
export type Stats = components['schemas']['Stats'];
export type StatsResponse = components['schemas']['StatsResponse'];
export type Tag = components['schemas']['Tag'];
export type Test = components['schemas']['Test'];
export type TestResponse = components['schemas']['TestResponse'];
export type Title = components['schemas']['Title'];
export type TitleOnOtherServer = components['schemas']['TITLE_ON_OTHER_SERVER'];
export type TitleDetails = components['schemas']['TitleDetails'];
export type TitleDetailsResponse = components['schemas']['TitleDetailsResponse'];
export type TitlePage = components['schemas']['TitlePage'];
export type TitleRequest = components['schemas']['TitleRequest'];
export type UnsupportedMediaType = components['schemas']['UNSUPPORTED_MEDIA_TYPE'];
export type User = components['schemas']['User'];
export type UserChangeIn = components['schemas']['UserChangeIn'];
export type UserIn = components['schemas']['UserIn'];
export type UserPage = components['schemas']['UserPage'];
export type UserResponse = components['schemas']['UserResponse'];
export type UserStats = components['schemas']['UserStats'];
export type ValidationError = components['schemas']['VALIDATION_ERROR'];
export type VerifyIn = components['schemas']['VerifyIn'];
export type WithdrawIn = components['schemas']['WithdrawIn'];
export type ResponseAlreadyRequestedRequestCancelledIdempotencyInProgressLimited = components['responses']['ALREADY_REQUESTED.REQUEST_CANCELLED.IDEMPOTENCY_IN_PROGRESS.limited'];
export type ResponseCsrfTokenMismatchForbiddenLimited = components['responses']['CSRF_TOKEN_MISMATCH.FORBIDDEN.limited'];
export type ResponseCsrfTokenMismatchLimited = components['responses']['CSRF_TOKEN_MISMATCH.limited'];
export type ResponseCsrfTokenMismatchQuotaExceededLimited = components['responses']['CSRF_TOKEN_MISMATCH.QUOTA_EXCEEDED.limited'];
export type ResponseDatabaseConnectionErrorInternalError = components['responses']['DATABASE_CONNECTION_ERROR.INTERNAL_ERROR'];
export type ResponseDatabaseConnectionErrorInternalErrorLimited = components['responses']['DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited'];
export type ResponseDatabaseWakingUp = components['responses']['DATABASE_WAKING_UP'];
export type ResponseDatabaseWakingUpCatalogUnavailableLimited = components['responses']['DATABASE_WAKING_UP.CATALOG_UNAVAILABLE.limited'];
export type ResponseDatabaseWakingUpLimited = components['responses']['DATABASE_WAKING_UP.limited'];
export type ResponseDatabaseWakingUpPlexUnreachableLimited = components['responses']['DATABASE_WAKING_UP.PLEX_UNREACHABLE.limited'];
export type ResponseEditConflictLimited = components['responses']['EDIT_CONFLICT.limited'];
export type ResponseForbiddenAccountSuspendedLimited = components['responses']['FORBIDDEN.ACCOUNT_SUSPENDED.limited'];
export type ResponseForbiddenLimited = components['responses']['FORBIDDEN.limited'];
export type ResponseForbiddenPlexAccessDeniedAccountSuspendedLimited = components['responses']['FORBIDDEN.PLEX_ACCESS_DENIED.ACCOUNT_SUSPENDED.limited'];
export type ResponseGatewayTimeout = components['responses']['GATEWAY_TIMEOUT'];
export type ResponseIdempotencyKeyReusedLimited = components['responses']['IDEMPOTENCY_KEY_REUSED.limited'];
export type ResponseInvalidCredentialsLimited = components['responses']['INVALID_CREDENTIALS.limited'];
export type ResponseInvalidStateLimited = components['responses']['INVALID_STATE.limited'];
export type ResponseInvalidStateTitleOnOtherServerLimited = components['responses']['INVALID_STATE.TITLE_ON_OTHER_SERVER.limited'];
export type ResponseJwtInvalidInvalidCredentialsLimited = components['responses']['JWT_INVALID.INVALID_CREDENTIALS.limited'];
export type ResponseJwtInvalidLimited = components['responses']['JWT_INVALID.limited'];
export type ResponseLastAdminLimited = components['responses']['LAST_ADMIN.limited'];
export type ResponseMethodNotAllowed = components['responses']['METHOD_NOT_ALLOWED'];
export type ResponseNotFoundLimited = components['responses']['NOT_FOUND.limited'];
export type ResponsePayloadTooLarge = components['responses']['PAYLOAD_TOO_LARGE'];
export type ResponsePinExpiredLimited = components['responses']['PIN_EXPIRED.limited'];
export type ResponsePinPendingLimited = components['responses']['PIN_PENDING.limited'];
export type ResponseRateLimited = components['responses']['RATE_LIMITED'];
export type ResponseRateLimitedLimited = components['responses']['RATE_LIMITED.limited'];
export type ResponseServerInUseLimited = components['responses']['SERVER_IN_USE.limited'];
export type ResponseUnsupportedMediaTypeLimited = components['responses']['UNSUPPORTED_MEDIA_TYPE.limited'];
export type ResponseValidationError = components['responses']['VALIDATION_ERROR'];
export type ResponseValidationErrorLimited = components['responses']['VALIDATION_ERROR.limited'];
export type HeaderAllow = components['headers']['Allow'];
export type HeaderETag = components['headers']['ETag'];
export type HeaderRateLimit = components['headers']['RateLimit'];
export type HeaderRateLimitPolicy = components['headers']['RateLimit-Policy'];
export type HeaderRetryAfter = components['headers']['Retry-After'];
export type HeaderSetCookie = components['headers']['Set-Cookie'];
export type HeaderWwwAuthenticate = components['headers']['WWW-Authenticate'];
export type HeaderXCatalogStale = components['headers']['X-Catalog-Stale'];
export type HeaderXRateLimitLimit = components['headers']['X-RateLimit-Limit'];
export type HeaderXRateLimitRemaining = components['headers']['X-RateLimit-Remaining'];
export type HeaderXRateLimitReset = components['headers']['X-RateLimit-Reset'];
export type HeaderXRequestId = components['headers']['X-Request-Id'];
export type $defs = Record<string, never>;
export interface operations {
    listAuditLogs: {
        parameters: {
            query?: {
                /**
                 * @description Only this kind of action
                 * @example request.approved
                 */
                action?: "auth.sign_in" | "auth.sign_in_failed" | "auth.sign_out" | "auth.password_changed" | "auth.password_failed" | "session.refreshed" | "session.revoked" | "access.denied" | "user.created" | "limit.exceeded" | "user.changed" | "user.deleted" | "request.created" | "request.approved" | "request.declined" | "request.cancelled" | "request.retried" | "request.withdrawn" | "fulfilment.adopted" | "job.retried" | "job.cancelled" | "config.changed" | "server.created" | "server.changed" | "server.deleted" | "server.tested" | "routing_rules.changed";
                /**
                 * @description Only actions at this time or later
                 * @example 2026-01-01T00:00:00Z
                 */
                from?: string;
                /**
                 * @description Maximum number of items on a page
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description Number of the page, from 1
                 * @example 1
                 */
                page?: number;
                /**
                 * @description Only actions before this time
                 * @example 2026-02-01T00:00:00Z
                 */
                to?: string;
                /**
                 * @description Only actions of this user
                 * @example 5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11
                 */
                userId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditLogPage"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    listSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingList"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    changeSetting: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Name of the setting
                 * @example rateLimit.search
                 */
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SettingIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["EDIT_CONFLICT.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    adoptTitles: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AdoptIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdoptedResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /**
                 * @description Only this kind
                 * @example handover
                 */
                kind?: "handover" | "check" | "inventory";
                /**
                 * @description Maximum number of items on a page
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description Number of the page, from 1
                 * @example 1
                 */
                page?: number;
                /**
                 * @description Only jobs of this server
                 * @example c47a3e5d-8f10-4b62-9c3e-5d7b1a2f6e08
                 */
                serverId?: string;
                /**
                 * @description Only jobs in this state
                 * @example dead
                 */
                state?: "queued" | "leased" | "done" | "dead" | "cancelled";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the job
                 * @example e81d5c94-2b7f-4a06-8f4d-3c9a6b0e7d25
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    cancelJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the job
                 * @example e81d5c94-2b7f-4a06-8f4d-3c9a6b0e7d25
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["INVALID_STATE.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    retryJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the job
                 * @example e81d5c94-2b7f-4a06-8f4d-3c9a6b0e7d25
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["INVALID_STATE.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    retryJobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["JobsRetryIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobsRetryResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    listRequests: {
        parameters: {
            query?: {
                /**
                 * @description Maximum number of items on a page
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description Only films (`movie`) or only shows (`tv`)
                 * @example movie
                 */
                mediaType?: "movie" | "tv";
                /**
                 * @description Number of the page, from 1
                 * @example 1
                 */
                page?: number;
                /**
                 * @description Part of a title, or of the requester's user name or e-mail address, ignoring case and character width
                 * @example matrix
                 */
                search?: string;
                /**
                 * @description Sort by time or title; `-` means descending
                 * @example requestedAt
                 */
                sort?: "requestedAt" | "-requestedAt" | "title" | "-title";
                /**
                 * @description Only requests in this state
                 * @example pending
                 */
                status?: "pending" | "approved" | "declined";
                /**
                 * @description Only requests of this user
                 * @example 5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11
                 */
                userId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminRequestPage"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    approveRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the request
                 * @example 3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ApproveIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaRequestResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["INVALID_STATE.TITLE_ON_OTHER_SERVER.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    declineRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the request
                 * @example 3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeclineIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaRequestResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["INVALID_STATE.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    retryRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the request
                 * @example 3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RetryIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaRequestResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["INVALID_STATE.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    withdrawRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the request
                 * @example 3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WithdrawIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaRequestResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["INVALID_STATE.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    countRequests: {
        parameters: {
            query?: {
                /**
                 * @description Only films (`movie`) or only shows (`tv`)
                 * @example movie
                 */
                mediaType?: "movie" | "tv";
                /**
                 * @description Part of a title, or of the requester's user name or e-mail address, ignoring case and character width
                 * @example matrix
                 */
                search?: string;
                /**
                 * @description Only requests of this user
                 * @example 5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11
                 */
                userId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestCountsResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    decideRequests: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DecisionsIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionList"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    listRoutingRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleList"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    replaceRoutingRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RulesIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleList"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["EDIT_CONFLICT.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    listServers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServerList"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    createServer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServerIn"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServerResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    getServer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the server
                 * @example c47a3e5d-8f10-4b62-9c3e-5d7b1a2f6e08
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServerResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    deleteServer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the server
                 * @example c47a3e5d-8f10-4b62-9c3e-5d7b1a2f6e08
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done, without a body */
            204: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["SERVER_IN_USE.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    changeServer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the server
                 * @example c47a3e5d-8f10-4b62-9c3e-5d7b1a2f6e08
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServerChangeIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServerResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    showInventory: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the server
                 * @example c47a3e5d-8f10-4b62-9c3e-5d7b1a2f6e08
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InventoryResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    checkServer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the server
                 * @example c47a3e5d-8f10-4b62-9c3e-5d7b1a2f6e08
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    showStats: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatsResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /**
                 * @description Maximum number of items on a page
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description Number of the page, from 1
                 * @example 1
                 */
                page?: number;
                /**
                 * @description Only users of this role
                 * @example admin
                 */
                role?: "admin" | "user";
                /**
                 * @description Part of a user name or e-mail address, ignoring case and character width
                 * @example bob
                 */
                search?: string;
                /**
                 * @description Sort by time of creation, user name or e-mail address; `-` means descending
                 * @example createdAt
                 */
                sort?: "createdAt" | "-createdAt" | "username" | "-username" | "email" | "-email";
                /**
                 * @description Only users of this status
                 * @example active
                 */
                status?: "active" | "suspended";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserPage"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    createUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserIn"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the user
                 * @example 5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    deleteUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the user
                 * @example 5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done, without a body */
            204: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["LAST_ADMIN.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    changeUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the user
                 * @example 5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserChangeIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["LAST_ADMIN.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    revokeSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the user
                 * @example 5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done, without a body */
            204: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.FORBIDDEN.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    csrfToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CsrfResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "Set-Cookie": components["headers"]["Set-Cookie"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedInResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["INVALID_CREDENTIALS.limited"];
            403: components["responses"]["FORBIDDEN.ACCOUNT_SUSPENDED.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["LogoutIn"];
            };
        };
        responses: {
            /** @description Done, without a body */
            204: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "Set-Cookie": components["headers"]["Set-Cookie"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    signInOptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInOptionsResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordIn"];
            };
        };
        responses: {
            /** @description Done, without a body */
            204: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.INVALID_CREDENTIALS.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    beginPlexSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EmptyIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PinResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.PLEX_UNREACHABLE.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    finishPlexSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "Set-Cookie": components["headers"]["Set-Cookie"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedInResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            403: components["responses"]["FORBIDDEN.PLEX_ACCESS_DENIED.ACCOUNT_SUSPENDED.limited"];
            404: components["responses"]["PIN_EXPIRED.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["PIN_PENDING.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.PLEX_UNREACHABLE.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "Set-Cookie": components["headers"]["Set-Cookie"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedInResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    currentSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurrentSessionResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    ownSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    revokeSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the session
                 * @example c7a9d1b4-2e63-4b0f-9f18-8d5e4a7b6c32
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done, without a body */
            204: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    docsPage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The caller already has this content (`If-None-Match`); no body */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    docsAsset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Name of the file
                 * @example page.js
                 */
                asset: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "text/css": string;
                    "text/javascript": string;
                };
            };
            /** @description The caller already has this content (`If-None-Match`); no body */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR"];
            503: components["responses"]["DATABASE_WAKING_UP"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    getTitle: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Film (`movie`) or show (`tv`)
                 * @example movie
                 */
                mediaType: "movie" | "tv";
                /**
                 * @description TMDB id of the title
                 * @example 603
                 */
                tmdbId: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-Catalog-Stale": components["headers"]["X-Catalog-Stale"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TitleDetailsResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.CATALOG_UNAVAILABLE.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    discover: {
        parameters: {
            query: {
                /**
                 * @description `trending`, `popular` or `upcoming` of TMDB, or `requested`: titles that somebody here has requested, the newest request first
                 * @example trending
                 */
                list: "trending" | "popular" | "upcoming" | "requested";
                /**
                 * @description Number of the page, from 1
                 * @example 1
                 */
                page?: number;
                /**
                 * @description Films, shows or both
                 * @example movie
                 */
                type?: "all" | "movie" | "tv";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-Catalog-Stale": components["headers"]["X-Catalog-Stale"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TitlePage"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.CATALOG_UNAVAILABLE.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    showQuota: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuotasResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    createRequest: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Within 24 hours, a repeated call with the same key and payload returns the request of the first call
                 * @example 6f1c2a34-friday
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RequestIn"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedRequestResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.QUOTA_EXCEEDED.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["ALREADY_REQUESTED.REQUEST_CANCELLED.IDEMPOTENCY_IN_PROGRESS.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            415: components["responses"]["UNSUPPORTED_MEDIA_TYPE.limited"];
            422: components["responses"]["IDEMPOTENCY_KEY_REUSED.limited"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.CATALOG_UNAVAILABLE.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    ownRequests: {
        parameters: {
            query?: {
                /**
                 * @description Maximum number of items on a page
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description Only films (`movie`) or only shows (`tv`)
                 * @example movie
                 */
                mediaType?: "movie" | "tv";
                /**
                 * @description Number of the page, from 1
                 * @example 1
                 */
                page?: number;
                /**
                 * @description Sort by time or title; `-` means descending
                 * @example requestedAt
                 */
                sort?: "requestedAt" | "-requestedAt" | "title" | "-title";
                /**
                 * @description Only requests in this state
                 * @example pending
                 */
                status?: "pending" | "approved" | "declined";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaRequestPage"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    getRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the request
                 * @example 3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaRequestResponse"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    cancelRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the request
                 * @example 3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done, without a body */
            204: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            403: components["responses"]["CSRF_TOKEN_MISMATCH.limited"];
            404: components["responses"]["NOT_FOUND.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            409: components["responses"]["INVALID_STATE.limited"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    search: {
        parameters: {
            query: {
                /**
                 * @description Number of the page, from 1
                 * @example 1
                 */
                page?: number;
                /**
                 * @description Words of the title to search for
                 * @example matrix
                 */
                q: string;
                /**
                 * @description Search films, shows or both
                 * @example movie
                 */
                type?: "all" | "movie" | "tv";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-Catalog-Stale": components["headers"]["X-Catalog-Stale"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TitlePage"];
                };
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            401: components["responses"]["JWT_INVALID.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.CATALOG_UNAVAILABLE.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
    openapiDocument: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description The caller already has this content (`If-None-Match`); no body */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    "X-RateLimit-Limit": components["headers"]["X-RateLimit-Limit"];
                    "X-RateLimit-Remaining": components["headers"]["X-RateLimit-Remaining"];
                    "X-RateLimit-Reset": components["headers"]["X-RateLimit-Reset"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["VALIDATION_ERROR.limited"];
            405: components["responses"]["METHOD_NOT_ALLOWED"];
            413: components["responses"]["PAYLOAD_TOO_LARGE"];
            429: components["responses"]["RATE_LIMITED.limited"];
            500: components["responses"]["DATABASE_CONNECTION_ERROR.INTERNAL_ERROR.limited"];
            503: components["responses"]["DATABASE_WAKING_UP.limited"];
            504: components["responses"]["GATEWAY_TIMEOUT"];
        };
    };
}
