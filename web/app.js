document.title = "MediaNest";
