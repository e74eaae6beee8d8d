// Who may be in a consumer group, under which id and at which epoch: found or refused, for members of both protocols.
// Pure. Source: KIP-848, "Member epochs" and "Static membership"; the messages are Apache Kafka's, since clients show them.
import { ERROR } from '../protocol/errors.ts';
import type { TopicPartitions } from './assignment.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, JOIN_EPOCH, STATIC_LEAVE_EPOCH } from './consumer-member.ts';
import { Refusal } from './refusal.ts';

/** Null: there is room. A member that is in the group stays in it. */
export function checkRoom(group: ConsumerGroup, memberId: string, sizeMax: number): Refusal | null {
  if (group.members.size < sizeMax || group.members.has(memberId)) return null;
  const message = `The consumer group has reached its maximum capacity of ${sizeMax} members.`;
  return new Refusal(ERROR.GROUP_MAX_SIZE_REACHED, message);
}

export function unknownMember(group: ConsumerGroup, memberId: string): Refusal {
  return new Refusal(ERROR.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${group.groupId}.`);
}

/** Null: `owner` has gone for a while, so that another may take its place. */
export function checkReleased(owner: ConsumerMember, memberId: string, instanceId: string): Refusal | null {
  if (owner.memberEpoch === STATIC_LEAVE_EPOCH) return null;
  const message =
    `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ` +
    `${owner.memberId} member.`;
  return new Refusal(ERROR.UNRELEASED_INSTANCE_ID, message);
}

/** The member that has the instance id, which must be `memberId`. */
export function findStatic(group: ConsumerGroup, memberId: string, instanceId: string): ConsumerMember | Refusal {
  const member = group.staticMember(instanceId);
  if (member === undefined) return new Refusal(ERROR.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`);
  if (member.memberId === memberId) return member;
  const message = `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.memberId}.`;
  return new Refusal(ERROR.FENCED_INSTANCE_ID, message);
}

/** Whoever of the two is asked for by a request that is no join. */
export function findMember(group: ConsumerGroup, memberId: string, instanceId: string | null): ConsumerMember | Refusal {
  if (instanceId !== null) return findStatic(group, memberId, instanceId);
  return group.members.get(memberId) ?? unknownMember(group, memberId);
}

/** Null: the epoch is the member's, or the one before where the answer with the new one may have been lost. */
export function checkEpoch(member: ConsumerMember, memberEpoch: number, owned: readonly TopicPartitions[] | null): Refusal | null {
  if (memberEpoch === JOIN_EPOCH || memberEpoch === member.memberEpoch) return null;
  const isGreater = memberEpoch > member.memberEpoch;
  if (!isGreater && memberEpoch === member.current.previousMemberEpoch && isPartOf(owned, member)) return null;
  const message =
    `The consumer group member has a ${isGreater ? 'greater' : 'smaller'} member epoch (${memberEpoch}) than the one known by the ` +
    `group coordinator (${member.memberEpoch}). The member must abandon all its partitions and rejoin.`;
  return new Refusal(ERROR.FENCED_MEMBER_EPOCH, message);
}

function isPartOf(owned: readonly TopicPartitions[] | null, { current }: ConsumerMember): boolean {
  if (owned === null) return false;
  return owned.every(({ topicId, partitions }) => {
    const known = current.assigned.get(topicId);
    return known !== undefined && partitions.every((partition) => known.has(partition));
  });
}
