export const map = {
  map: {
    title: "Places of open alerts",
    list: "Alerts with a place",
    none: "No open alert has a place.",
    loading: "Drawing the map…",
    failed: "The map cannot be drawn here; the list has the same places.",
    hide: "Hide map",
    show: "Show map",
    note: "Natural Earth; borders as drawn there say nothing about sovereignty",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    all: "Show all",
  },
};
