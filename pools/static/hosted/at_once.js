// Sends the form that is there to be sent at once. Without this its button does.

document.querySelector("form[data-at-once]")?.requestSubmit();
