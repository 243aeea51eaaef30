export { ApiClient, type TaskAction } from './api-client.js';
export { type DataDirectory, openDataDirectory } from './data-directory.js';
export { DATA_PLANE, type ServiceName, startServices } from './services.js';
export { type Crash, Supervisor } from './supervisor.js';
