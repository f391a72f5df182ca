export { asyncApiDocument, asyncApiText, groupsOfHandlers, type AppGroup } from './asyncapi';
export { createBroadcastConsumer } from './broadcast-consumer';
export { KafkaConsumer, type KafkaConsumerOptions } from './consumer';
export { DeadLetters, refusedMessage, REPLAY_HEADER, type BuriedMessage, type DeadLetterOptions } from './dead-letters';
export {
  checkBrokers,
  describeKafkaError,
  kafkaClient,
  kafkaSchema,
  KafkaUnavailable,
  type KafkaSettings,
} from './kafka-config';
export { murmur2, partitionOf } from './murmur2';
export { KafkaPublisher } from './publisher';
export { liveMembers, type LiveMember, type MemberContracts } from './member-contracts';
export type { PublisherStats, PublishTrouble, SenderOptions } from './record-sender';
export type { SpoolOptions } from './spool';
export { SpoolingPublisher, type AwayHooks, type AwayPublisher, type SpoolingOptions } from './spooling-publisher';
export { deadLetterTopic, ensureTopics, topicDrift, topicPlan, type PlannedTopic, type TopicDrift } from './topics';
export { BusTransport, type BusTransportOptions } from './transport';
