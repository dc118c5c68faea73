"use strict";

// Addresses are relative, so that the page works below a stage of API Gateway too.
SwaggerUIBundle({
  dom_id: "#api",
  url: "openapi.json",
  validatorUrl: null,
  deepLinking: true,
  filter: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
});
