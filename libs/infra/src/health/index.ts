export {
  COMPONENTS,
  HealthRegistry,
  StartupFailure,
  type ComponentHealth,
  type ComponentName,
  type ComponentStatus,
  type SystemState,
} from './health-registry';
export { HealthModule } from './health.module';
