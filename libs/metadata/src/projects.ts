import { type ProjectId, SluiceError } from '@sluice/contracts';
import { randomUUID } from 'node:crypto';
import { type DataSource, type EntityManager } from 'typeorm';
import { type AuditLog } from './audit-log.js';
import { ProjectEntity } from './entities/project.entity.js';
import { type CreateOptions, type CreatedId, type IdempotentCreation } from './idempotent-creation.js';
import { type InProjects, keepProjects, type Page, readPage } from './page.js';
import { isForeignKeyViolation, isUniqueViolation } from './query-failure.js';
import { type Origin } from './stored-task.js';

export interface Project {
  readonly id: ProjectId;
  readonly name: string;
  readonly isDefault: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ProjectQuery {
  readonly projects: InProjects;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** The tenancy units. A project is removed only while no task is in it, which the foreign key of the tasks decides. */
export class Projects {
  constructor(
    private readonly dataSource: DataSource,
    private readonly tools: { readonly audit: AuditLog; readonly idempotency: IdempotentCreation },
  ) {}

  /** @throws SluiceError 6004 when the name is taken, 6001 when the key was used for another request. */
  async create(name: string, options: CreateOptions): Promise<CreatedId> {
    const { origin } = options;
    return this.dataSource.transaction((manager) =>
      this.tools.idempotency.once(manager, { ...options, kind: 'project', request: { name } }, async () => {
        const id = randomUUID();
        const at = new Date();
        const row = { id, name, isDefault: false, createdAt: at, updatedAt: at };
        await manager.insert(ProjectEntity, row).catch(refuseTakenName(name));
        await this.#record(manager, { origin, action: 'create', after: row });
        return id;
      }),
    );
  }

  async list(query: ProjectQuery): Promise<Page<Project>> {
    const builder = this.dataSource.manager.createQueryBuilder(ProjectEntity, 'project');
    keepProjects(builder, 'project.id', query.projects);
    const { items, nextCursor } = await readPage(builder, query);
    return { items: items.map(toProject), nextCursor };
  }

  async find(id: ProjectId): Promise<Project | null> {
    const row = await this.dataSource.manager.findOneBy(ProjectEntity, { id });
    return row && toProject(row);
  }

  /** Where tasks go that name no project. */
  async findDefault(): Promise<Project> {
    return toProject(await this.dataSource.manager.findOneByOrFail(ProjectEntity, { isDefault: true }));
  }

  /** @returns the project afterwards, `null` when there is none. @throws SluiceError 6004 when the name is taken. */
  async rename(id: ProjectId, name: string, origin: Origin): Promise<Project | null> {
    return this.dataSource.transaction(async (manager) => {
      const before = await lockProject(manager, id);
      if (!before) return null;
      const change = { name, updatedAt: new Date() };
      await manager.update(ProjectEntity, id, change).catch(refuseTakenName(name));
      const after = { ...before, ...change };
      await this.#record(manager, { origin, action: 'rename', before, after });
      return toProject(after);
    });
  }

  /** @returns false when there is none. @throws SluiceError 6008 when tasks are in it, 6009 for the default project. */
  async remove(id: ProjectId, origin: Origin): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      const project = await lockProject(manager, id);
      if (!project) return false;
      if (project.isDefault) throw new SluiceError('SLUICE-6009', { detail: `project ${project.name}` });
      await manager.delete(ProjectEntity, id).catch((error: unknown) => {
        if (!isForeignKeyViolation(error)) throw error;
        throw new SluiceError('SLUICE-6008', { detail: `tasks are in project ${project.name}`, cause: error });
      });
      await this.#record(manager, { origin, action: 'delete', before: project });
      return true;
    });
  }

  async #record(
    manager: EntityManager,
    { origin, action, before, after }: { origin: Origin; action: string; before?: Named; after?: Named },
  ): Promise<void> {
    const project = after ?? before;
    if (!project) return;
    const object = { kind: 'project', id: project.id, name: project.name } as const;
    const change = { ...(before && { before: { name: before.name } }), ...(after && { after: { name: after.name } }) };
    const entry = { origin, action, projectId: project.id, object, outcome: 'done', ...change };
    await this.tools.audit.record(entry, manager);
  }
}

type Named = Pick<Project, 'id' | 'name'>;

function lockProject(manager: EntityManager, id: ProjectId): Promise<ProjectEntity | null> {
  return manager.findOne(ProjectEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
}

function refuseTakenName(name: string): (error: unknown) => never {
  return (error) => {
    if (!isUniqueViolation(error)) throw error;
    throw new SluiceError('SLUICE-6004', { detail: `a project named ${name} exists already`, cause: error });
  };
}

function toProject({ id, name, isDefault, createdAt, updatedAt }: ProjectEntity): Project {
  return { id, name, isDefault, createdAt, updatedAt };
}
