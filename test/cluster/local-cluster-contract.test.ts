import { describeClusterContract } from '../support/cluster-contract.js';
import { LocalDriverHarness } from '../support/local-driver.js';

describeClusterContract('the local driver', () => Promise.resolve(new LocalDriverHarness()));
