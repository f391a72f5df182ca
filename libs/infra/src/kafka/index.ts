export { createBroadcastConsumer, KafkaConsumer, type KafkaConsumerOptions } from './consumer';
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
export type { PublisherStats, PublishTrouble, SenderOptions } from './record-sender';
export { deadLetterTopic, ensureTopics, topicDrift, topicPlan, type PlannedTopic, type TopicDrift } from './topics';
