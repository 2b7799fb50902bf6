// Who works at the sample platform, and on what.
export const people = [
  { id: "ada", name: "Ada Okafor", role: "owner" },
  { id: "grace", name: "Grace Lindqvist", role: "editor" },
  { id: "linus", name: "Linus Baumann", role: "viewer" },
];

export const workflows = [
  {
    id: "nightly-orders", name: "Nightly order sync", environment: "development", schedule: "Every day at 02:00",
    steps: [
      { title: "On a schedule", text: "Every day at 02:00, Europe/Zurich" },
      { title: "Read new orders", text: "SELECT from orders since the last run", component: "postgresql", service: "PostgreSQL" },
      { title: "Price them", text: "GET /rates for each currency", component: "http", service: "HTTP API" },
      { title: "Tell the team", text: "Post a summary to #operations", component: "slack", service: "Slack" },
    ],
  },
  {
    id: "lead-routing", name: "Lead routing", environment: "development", schedule: "When a form is sent",
    steps: [
      { title: "When a form is sent", text: "Contact form of the website" },
      { title: "Look the company up", text: "GET /companies by domain", component: "http", service: "HTTP API" },
      { title: "Notify the owner", text: "Direct message to the account's owner", component: "slack", service: "Slack" },
    ],
  },
];
