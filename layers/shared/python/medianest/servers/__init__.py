"""The servers that fetch titles (Radarr, Sonarr), and the rules that choose one."""
